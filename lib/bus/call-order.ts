/**
 * How long a push waits for durable ones that were called before it, in milliseconds. Redis takes about one; when it takes
 * this long it is in trouble, and what need not wait for it goes ahead.
 */
const LONGEST_WAIT_MS = 250;

interface Waiting {
  readonly isDurable: boolean;
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
      this.wait({ isDurable: true, start: () => resolve(this.runDurable(work)) });
    });
  }

  /** Runs `work` in its turn, which is at once unless a durable push is on its way. */
  other<T>(work: () => Promise<T>): Promise<T> {
    if (this.ahead.size === 0 && this.waiting.length === 0) return work();
    return new Promise((resolve) => {
      this.wait({ isDurable: false, start: () => resolve(work()) });
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

  private wait(waiting: Waiting): void {
    this.waiting.push(waiting);
    this.patience ??= setTimeout(() => this.losePatience(), LONGEST_WAIT_MS);
  }

  private losePatience(): void {
    this.patience = undefined;
    this.ahead.clear();
    this.goOn();
  }

  private goOn(): void {
    while (this.waiting.length > 0) {
      if (!this.waiting[0]!.isDurable && this.ahead.size > 0) return;
      this.waiting.shift()!.start();
    }
    clearTimeout(this.patience);
    this.patience = undefined;
  }
}
