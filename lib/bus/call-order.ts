/**
 * How long a push waits for durable ones that were called before it, in milliseconds. Redis takes about one; when it takes
 * this long it is in trouble, and what need not wait for it goes ahead.
 */
const LONGEST_WAIT_MS = 250;

interface Waiting {
  readonly isDurable: boolean;
  /** When it has waited long enough, by the monotonic clock. */
  readonly until: number;
  readonly start: () => void;
}

/**
 * Keeps the pushes of this process in the order of their calls. A durable one is delivered when it has its place in its
 * history, any other one at once: so one of these waits for the durable ones before it, and they for it.
 */
export class CallOrder {
  /** Durable pushes that are not delivered here yet. */
  private readonly ahead = new Set<object>();
  private readonly waiting: Waiting[] = [];
  private patience: ReturnType<typeof setTimeout> | undefined;

  /** Runs `work` in its turn. It calls `delivered` when nothing has to wait for it any more; its end counts as well. */
  durable<T>(work: (delivered: () => void) => Promise<T>): Promise<T> {
    if (this.waiting.length === 0) return this.runDurable(work);
    return new Promise((resolve) => {
      this.wait(true, () => resolve(this.runDurable(work)));
    });
  }

  /** Runs `work` in its turn, which is at once unless a durable push is on its way. */
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
      if (this.ahead.delete(token)) this.goOn();
    };
    try {
      return await work(delivered);
    } finally {
      delivered();
    }
  }

  private wait(isDurable: boolean, start: () => void): void {
    this.waiting.push({ isDurable, until: performance.now() + LONGEST_WAIT_MS, start });
    this.goOnIn(LONGEST_WAIT_MS);
  }

  private goOnIn(ms: number): void {
    this.patience ??= setTimeout(() => {
      this.patience = undefined;
      this.goOn();
    }, ms);
  }

  private goOn(): void {
    for (let [first] = this.waiting; first !== undefined; [first] = this.waiting) {
      if (!first.isDurable && this.ahead.size > 0) {
        const leftMs = first.until - performance.now();
        if (leftMs > 0) return this.goOnIn(leftMs);
        this.ahead.clear();
      }
      this.waiting.shift();
      first.start();
    }
    clearTimeout(this.patience);
    this.patience = undefined;
  }
}
