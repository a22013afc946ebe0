type Task = () => Promise<void>;

/** Whoever feeds the queue, and can be asked to wait. */
export interface Feeder {
  pause(): void;
  resume(): void;
}

/**
 * One connection's frames, handled in order, at most `concurrency` at a time. When more than `maxWaiting` wait, the
 * feeder is paused until half of them are done, so that a flood stays in the peer's own buffers.
 */
export class FrameQueue {
  private readonly waiting: Task[] = [];
  private running = 0;
  private started = false;
  private stopped = false;
  private feederPaused = false;

  constructor(
    private readonly feeder: Feeder,
    private readonly concurrency: number,
    private readonly maxWaiting: number,
  ) {}

  /** Whether the feeder is being held back, so that its silence says nothing. */
  get holdsBack(): boolean {
    return this.feederPaused;
  }

  /** Whether frames are being handled already. */
  get isStarted(): boolean {
    return this.started;
  }

  /** Tasks must not reject. */
  push(task: Task): void {
    if (this.stopped) return;
    this.waiting.push(task);
    if (this.waiting.length > this.maxWaiting && !this.feederPaused) {
      this.feederPaused = true;
      this.feeder.pause();
    }
    this.runNext();
  }

  start(): void {
    this.started = true;
    while (this.canRun()) this.runNext();
  }

  /** Forgets what waits; what runs is left to end. */
  stop(): void {
    this.stopped = true;
    this.waiting.length = 0;
  }

  private canRun(): boolean {
    return this.started && this.running < this.concurrency && this.waiting.length > 0;
  }

  private runNext(): void {
    if (!this.canRun()) return;
    const task = this.waiting.shift()!;
    this.running++;
    void task().then(() => this.finished());
  }

  private finished(): void {
    this.running--;
    if (this.feederPaused && !this.stopped && this.waiting.length <= this.maxWaiting / 2) {
      this.feederPaused = false;
      this.feeder.resume();
    }
    this.runNext();
  }
}
