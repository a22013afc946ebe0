/**
 * How long a push waits for durable pushes that were called before it, in milliseconds. Redis normally takes about one
 * millisecond. When it takes this long, it is in trouble, and pushes that need not wait for it go ahead.
 */
const MAX_WAIT_MS = 250;

interface Waiting {
  readonly isDurable: boolean;
  /** When it stops waiting, on the monotonic clock. */
  readonly until: number;
  readonly start: () => void;
}

/**
 * Keeps the pushes of this process in call order. A durable push is delivered once it has its place in the history, any
 * other push at once. So a non-durable push waits for the durable pushes called before it, and durable pushes wait for
 * the non-durable ones queued before them.
 */
export class CallOrder {
  /** Durable pushes that have not been delivered here yet. */
  private readonly ahead = new Set<object>();
  private readonly waiting: Waiting[] = [];
  private patience: ReturnType<typeof setTimeout> | undefined;

  /** Runs `work` in its turn. Later pushes wait until `work` calls `delivered` or settles. */
  durable<T>(work: (delivered: () => void) => Promise<T>): Promise<T> {
    if (this.waiting.length === 0) return this.runDurable(work);
    return new Promise((resolve) => {
      this.wait(true, () => resolve(this.runDurable(work)));
    });
  }

  /** Runs `work` in its turn: at once, unless a durable push is pending. */
  other<T>(work: () => Promise<T>): Promise<T> {
    if (this.ahead.size === 0 && this.waiting.length === 0) return work();
    return new Promise((resolve) => {
      this.wait(false, () => resolve(work()));
    });
  }

  private async runDurable<T>(work: (delivered: () => void) => Promise<T>): Promise<T> {
    const token = {};
    this.ahead.add(token);
    const delivered = (): void => {
      if (this.ahead.delete(token)) this.drain();
    };
    try {
      return await work(delivered);
    } finally {
      delivered();
    }
  }

  private wait(isDurable: boolean, start: () => void): void {
    this.waiting.push({ isDurable, until: performance.now() + MAX_WAIT_MS, start });
    this.drainIn(MAX_WAIT_MS);
  }

  private drainIn(ms: number): void {
    this.patience ??= setTimeout(() => {
      this.patience = undefined;
      this.drain();
    }, ms);
  }

  private drain(): void {
    for (let [first] = this.waiting; first !== undefined; [first] = this.waiting) {
      if (!first.isDurable && this.ahead.size > 0) {
        const leftMs = first.until - performance.now();
        if (leftMs > 0) return this.drainIn(leftMs);
        this.ahead.clear();
      }
      this.waiting.shift();
      first.start();
    }
    clearTimeout(this.patience);
    this.patience = undefined;
  }
}
