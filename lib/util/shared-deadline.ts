interface Waiting {
  readonly until: number;
  timeOut(): void;
}

/** A timer may fire this much early, measured by `performance.now()`. */
const EARLY_MS = 1;

/**
 * Gives many short pieces of work the same timeout with one timer: what started first times out first, and nearly all
 * of it is done before the timer fires again. The timer keeps the process alive only while there is work.
 */
export class SharedDeadline {
  /** In the order in which they time out. */
  private readonly waiting = new Set<Waiting>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly ms: number) {}

  /** Like the function `within`: settles as `work` does, or with `onTimeout` when the time is up. */
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

  /** Removes each entry that is late before it calls `timeOut`, which may add new work. */
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
