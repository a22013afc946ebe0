import type { FlushScheduler } from './flush-scheduler.js';
import type { TextFrame } from './text-frame.js';
import type { Wire } from './wire.js';

/**
 * The only way out to a connection: a queue that is bounded in bytes and written once per turn of the event loop. While
 * the reader is slow, frames wait here and not in the stream, so that expired ones can still be dropped.
 */
export class Outbox {
  /** Absent while nothing waits, which is almost always. */
  private queue: TextFrame[] | undefined;
  private queuedBytes = 0;
  /** The wire's own value, which does not change; kept here so that it is not computed for each frame. */
  private readonly writeAhead: number;
  /** Large senders wait while the queue and the wire's backlog together hold more bytes than this. */
  private readonly halfFull: number;
  /** The wire's backlog after the last flush. It has not grown since, so it need not be read for each frame. */
  private backlogAtMost = 0;
  private held = true;
  private scheduled = false;
  private ended = false;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly wire: Wire,
    private readonly scheduler: FlushScheduler,
    private readonly maxBytes: number,
  ) {
    this.writeAhead = wire.writeAhead;
    this.halfFull = maxBytes / 2;
    wire.onDrain(() => this.flush(), this.halfFull);
  }

  /** Whether the wire takes no more data for now. */
  get blocked(): boolean {
    return this.wire.backlog >= this.writeAhead;
  }

  /** Whether it is at most half full. Large senders wait for that, so that the reader does not count as too slow. */
  get hasCapacity(): boolean {
    return this.ended || this.queuedBytes + this.wire.backlog <= this.halfFull;
  }

  /** Resolves when there is room, or the outbox has ended. */
  async untilCapacity(): Promise<void> {
    this.flush();
    if (!this.hasCapacity) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Queues the frame. Returns `false`, and does not send it, if it does not fit or the outbox has ended. */
  offer(frame: TextFrame): boolean {
    if (!this.fits(frame)) {
      this.flush(); // a burst within one turn says nothing about the reader
      this.forgetExpired(); // and expired frames must not take up room
    }
    if (this.ended || !this.fits(frame)) return false;
    // Not pushed to an empty array, which would reserve room for many: most queues only ever hold one.
    if (this.queue === undefined) this.queue = [frame];
    else this.queue.push(frame);
    this.queuedBytes += frame.length;
    this.scheduleFlush();
    return true;
  }

  /** Lets frames out, this one before any that were offered earlier. */
  open(first: TextFrame): void {
    this.queue = [first, ...(this.queue ?? [])];
    this.queuedBytes += first.length;
    this.held = false;
    this.scheduleFlush();
  }

  /** @param now On the monotonic clock; a caller that flushes many outboxes reads it once for all. */
  flush(now = performance.now()): void {
    this.scheduled = false;
    if (this.held || this.ended || !this.wire.writable) return;
    let { backlog } = this.wire;
    while (this.queue !== undefined && backlog < this.writeAhead) {
      this.writeBatch(this.queue, this.writeAhead, now);
      ({ backlog } = this.wire);
    }
    this.backlogAtMost = backlog;
    if (this.waiting.length > 0) this.wakeWaiting();
  }

  /** Writes what was accepted and accepts no more. An outbox that was never opened writes nothing. */
  end(): void {
    const { queue } = this;
    if (queue !== undefined && !this.held && this.wire.writable) {
      this.writeBatch(queue, Infinity, performance.now());
    }
    this.ended = true;
    this.queue = undefined;
    this.queuedBytes = 0;
    this.wakeWaiting();
  }

  private wakeWaiting(): void {
    if (!this.hasCapacity) return;
    const { waiting } = this;
    this.waiting = [];
    for (const wake of waiting) wake();
  }

  private fits({ length }: TextFrame): boolean {
    const room = this.maxBytes - this.queuedBytes - length;
    if (this.backlogAtMost <= room) return true;
    this.backlogAtMost = this.wire.backlog;
    return this.backlogAtMost <= room;
  }

  private forgetExpired(): void {
    if (this.queue === undefined) return;
    const now = performance.now();
    this.queue = this.queue.filter(({ deadline }) => deadline >= now);
    this.queuedBytes = this.queue.reduce((bytes, { length }) => bytes + length, 0);
  }

  private scheduleFlush(): void {
    if (this.scheduled || this.held) return;
    if (this.backlogAtMost >= this.writeAhead && this.blocked) return;
    this.scheduled = true;
    this.scheduler.schedule(this);
  }

  private writeBatch(queue: TextFrame[], budget: number, now: number): void {
    const frames = this.take(queue, budget);
    let hasExpired = false;
    for (const { length, deadline } of frames) {
      this.queuedBytes -= length;
      hasExpired ||= deadline < now;
    }
    const due = hasExpired ? frames.filter(({ deadline }) => deadline >= now) : frames;
    if (due.length > 0) this.wire.write(due);
  }

  /** Takes at least one frame, and stops once the budget is reached. */
  private take(queue: TextFrame[], budget: number): TextFrame[] {
    if (this.queuedBytes <= budget) {
      this.queue = undefined;
      return queue;
    }
    let count = 0;
    for (let bytes = 0; bytes < budget; count++) bytes += queue[count]!.length;
    return queue.splice(0, count);
  }
}
