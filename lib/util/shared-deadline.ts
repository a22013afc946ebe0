interface Waiting {
  readonly until: number;
  timeOut(): void;
}

/** A timer may fire this much early by the clock that it is compared with. */
const EARLY_MS = 1;

/**
 * Bounds much short work by the same time with one timer: what began first is late first, and nearly all of it is done
 * before the timer looks again. The timer keeps the process alive while there is work, and not longer.
 */
export class SharedDeadline {
  /** In the order in which they are late. */
  private readonly waiting = new Set<Waiting>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly ms: number) {}

  /** As `within` of the same name: settles as `work` does, or with `onTimeout` when the time is up. */
  within<T>(work: PromiseLike<T>, onTimeout: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        until: performance.now() + this.ms,
        timeOut() {
          try {
            resolve(onTimeout());
          } catch (error) {
            reject(error);
          }
        },
      };
      this.add(waiting);
      work.then(
        (value) => {
          this.remove(waiting);
          resolve(value);
        },
        (error: unknown) => {
          this.remove(waiting);
          reject(error);
        },
      );
    });
  }

  private add(waiting: Waiting): void {
    this.waiting.add(waiting);
    if (this.timer === undefined) this.arm(this.ms);
    else if (this.waiting.size === 1) this.timer.ref();
  }

  private remove(waiting: Waiting): void {
    if (this.waiting.delete(waiting) && this.waiting.size === 0) this.timer?.unref();
  }

  private arm(ms: number): void {
    this.timer = setTimeout(() => this.sweep(), ms);
  }

  /** What is late waits no more when it is told so: it may begin something new. */
  private sweep(): void {
    const now = performance.now();
    for (const waiting of this.waiting) {
      if (waiting.until > now + EARLY_MS) break;
      this.waiting.delete(waiting);
      waiting.timeOut();
    }
    this.timer = undefined;
    const [next] = this.waiting;
    if (next !== undefined) this.arm(next.until - now);
  }
}
