const monotonic = (): number => performance.now();

/** A rate limit with a burst: holds up to `burst` tokens, refilled at `perSecond`, on the monotonic clock. */
export class TokenBucket {
  private tokens: number;
  private refilledAt: number;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private readonly now: () => number = monotonic,
  ) {
    this.tokens = burst;
    this.refilledAt = now();
  }

  /** Takes `count` tokens; missing ones are owed. Returns `false` and takes none if not even one is there. */
  take(count = 1): boolean {
    const now = this.now();
    const refill = ((now - this.refilledAt) / 1_000) * this.perSecond;
    this.tokens = Math.min(this.burst, this.tokens + refill);
    this.refilledAt = now;
    if (this.tokens < 1) return false;
    this.owe(count);
    return true;
  }

  /** Takes `count` tokens, even if they are not there. */
  owe(count: number): void {
    this.tokens -= count;
  }
}
