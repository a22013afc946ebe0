type Task = () => Promise<void>;

interface Queued {
  readonly task: Task;
  /** Runs alone: it starts after all earlier tasks have ended, and later tasks start after it has ended. */
  readonly alone: boolean;
}

/** The source of the tasks, which can be asked to wait. */
export interface Feeder {
  pause(): void;
  resume(): void;
}

/**
 * One connection's frames, started in order, at most `concurrency` at a time. When more than `maxWaiting` wait, the
 * feeder is paused until at most half of `maxWaiting` are left, so that a flood stays in the peer's own buffers.
 */
export class FrameQueue {
  private readonly waiting: Queued[] = [];
  private running = 0;
  private runsAlone = false;
  private started = false;
  private stopped = false;
  private feederPaused = false;
  /** Absent while nobody waits for the queue to become idle. */
  private idleListeners: (() => void)[] | undefined;

  constructor(
    private readonly feeder: Feeder,
    private readonly concurrency: number,
    private readonly maxWaiting: number,
  ) {}

  /** Whether the feeder is paused, so that its silence does not mean that the peer is gone. */
  get isPaused(): boolean {
    return this.feederPaused;
  }

  /** Tasks must neither throw nor reject. */
  push(task: Task, alone: boolean): void {
    if (this.stopped) return;
    const next = { task, alone };
    if (this.waiting.length === 0 && this.canRun(next)) this.run(next);
    else this.wait(next);
  }

  start(): void {
    this.started = true;
    this.runWaiting();
  }

  /** Discards the tasks that wait; running ones are left to finish. */
  stop(): void {
    this.stopped = true;
    this.waiting.length = 0;
    this.notifyIdle();
  }

  /** Resolves when nothing runs and nothing waits, or when the queue is stopped. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.idleListeners ??= [];
      this.idleListeners.push(resolve);
      this.notifyIdle();
    });
  }

  private notifyIdle(): void {
    if (!this.stopped && (this.running > 0 || this.waiting.length > 0)) return;
    const listeners = this.idleListeners ?? [];
    this.idleListeners = undefined;
    for (const listener of listeners) listener();
  }

  private wait(next: Queued): void {
    this.waiting.push(next);
    if (this.waiting.length <= this.maxWaiting || this.feederPaused) return;
    this.feederPaused = true;
    this.feeder.pause();
  }

  private canRun({ alone }: Queued): boolean {
    if (!this.started || this.runsAlone) return false;
    return this.running < (alone ? 1 : this.concurrency);
  }

  private runWaiting(): void {
    while (this.waiting.length > 0 && this.canRun(this.waiting[0]!))
      this.run(this.waiting.shift()!);
  }

  private run({ task, alone }: Queued): void {
    this.runsAlone = alone;
    this.running++;
    void task().then(() => {
      this.finished();
      this.runWaiting();
    });
  }

  private finished(): void {
    this.running--;
    this.runsAlone = false;
    if (this.feederPaused && !this.stopped && this.waiting.length <= this.maxWaiting / 2) {
      this.feederPaused = false;
      this.feeder.resume();
    }
    this.notifyIdle();
  }
}
