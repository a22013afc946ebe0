/** The processes that may be alive: from what Redis tells of their beats, and what they say themselves. */
export class LiveMembers {
  /** When each was last known to be alive, by this process's own monotonic clock. */
  private readonly seen = new Map<string, number>();
  private inLastBeat: ReadonlySet<string> = new Set();
  /** They left for good; a beat that was on its way meanwhile may name them once more. */
  private readonly gone = new Set<string>();

  constructor(private readonly serverTimeoutMs: number) {}

  get ids(): Iterable<string> {
    return this.seen.keys();
  }

  /** Whether each of them has told Redis so. */
  get haveAllBeat(): boolean {
    return [...this.seen.keys()].every((member) => this.inLastBeat.has(member));
  }

  hasBeat(member: string): boolean {
    return this.inLastBeat.has(member);
  }

  add(member: string): void {
    if (!this.gone.has(member)) this.seen.set(member, performance.now());
  }

  /** For good: nobody comes back under the same id. */
  remove(member: string): void {
    this.seen.delete(member);
    this.gone.add(member);
  }

  /** What the beats in Redis say at `now`. Nobody is given up for a silence before `steadySince`. */
  note(beats: readonly [string, number][], now: number, steadySince: number): void {
    const named = new Set(beats.map(([member]) => member));
    for (const member of this.gone) if (!named.has(member)) this.gone.delete(member);
    const alive = beats.filter(
      ([member, beat]) => !this.gone.has(member) && !this.isSilent(beat, now),
    );
    this.inLastBeat = new Set(alive.map(([member]) => member));
    for (const [member, beat] of alive) {
      this.seen.set(member, performance.now() - Math.max(0, now - beat));
    }
    for (const [member, seen] of this.seen) {
      const silentMs = performance.now() - Math.max(seen, steadySince);
      if (!this.inLastBeat.has(member) && silentMs >= this.serverTimeoutMs)
        this.seen.delete(member);
    }
  }

  /** After a failover another clock is asked, so a beat from the future is as old as one from the past. */
  isSilent(beat: number, now: number, timeouts = 1): boolean {
    return Math.abs(now - beat) >= timeouts * this.serverTimeoutMs;
  }

  /** Milliseconds until each of them will have been silent for too long. */
  overdueIn(): number[] {
    const now = performance.now();
    return [...this.seen.values()].map((seen) => seen + this.serverTimeoutMs - now);
  }
}
