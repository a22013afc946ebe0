import type { FlushScheduler } from './flush-scheduler.js';
import type { TextFrame } from './text-frame.js';
import type { Wire } from './wire.js';

interface Queued {
  readonly frame: TextFrame;
  /** On the monotonic clock; a frame that is still here then is not sent. */
  readonly deadline: number;
}

/** Bytes handed to the stream at a time. Above a stream's high-water mark, so that it is sure to report the drain. */
const WRITE_AHEAD_BYTES = 65_536;

/**
 * The one way out to a connection: a queue bounded in bytes, written once per turn of the event loop. While the reader
 * is slow, frames wait here and not in the stream, so that one whose time has passed can still be left out.
 */
export class Outbox {
  private queue: Queued[] = [];
  private queuedBytes = 0;
  private held = true;
  private scheduled = false;
  private ended = false;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly wire: Wire,
    private readonly scheduler: FlushScheduler,
    private readonly maxBytes: number,
  ) {
    wire.onDrain(() => this.flush());
  }

  /** Whether the wire takes no more for now. */
  get blocked(): boolean {
    return this.wire.backlog >= WRITE_AHEAD_BYTES;
  }

  /** Whether it is at most half full. Who has much to send can wait for that, so that the reader is not too slow for it. */
  get hasRoom(): boolean {
    return this.ended || this.queuedBytes + this.wire.backlog <= this.maxBytes / 2;
  }

  /** Resolves when it has room, or has ended. */
  async untilRoom(): Promise<void> {
    this.flush();
    if (!this.hasRoom) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Queues the frame. `false` when it does not fit or the outbox has ended: the frame is not sent. */
  offer(frame: TextFrame, ttlMs = Infinity): boolean {
    if (!this.fits(frame)) {
      this.flush(); // a burst within one turn says nothing about the reader
      this.forgetExpired(); // and frames that will not be sent take no place
    }
    if (this.ended || !this.fits(frame)) return false;
    this.queue.push({ frame, deadline: performance.now() + ttlMs });
    this.queuedBytes += frame.length;
    this.scheduleFlush();
    return true;
  }

  /** Lets frames out, this one before any that was offered earlier. */
  open(first: TextFrame): void {
    this.queue.unshift({ frame: first, deadline: Infinity });
    this.queuedBytes += first.length;
    this.held = false;
    this.scheduleFlush();
  }

  flush(): void {
    this.scheduled = false;
    if (this.held || this.ended || !this.wire.writable) return;
    while (this.queue.length > 0 && !this.blocked) this.writeBatch(WRITE_AHEAD_BYTES);
    this.wakeWaiting();
  }

  /** Writes what was accepted and takes no more. An outbox that was never opened writes nothing. */
  end(): void {
    if (!this.held && !this.ended && this.wire.writable) this.writeBatch(Infinity);
    this.ended = true;
    this.queue = [];
    this.queuedBytes = 0;
    this.wakeWaiting();
  }

  private wakeWaiting(): void {
    if (this.waiting.length === 0 || !this.hasRoom) return;
    const { waiting } = this;
    this.waiting = [];
    for (const wake of waiting) wake();
  }

  private fits(frame: TextFrame): boolean {
    return this.queuedBytes + this.wire.backlog + frame.length <= this.maxBytes;
  }

  private forgetExpired(): void {
    const now = performance.now();
    this.queue = this.queue.filter(({ deadline }) => deadline >= now);
    this.queuedBytes = this.queue.reduce((bytes, { frame }) => bytes + frame.length, 0);
  }

  private scheduleFlush(): void {
    if (this.scheduled || this.held || this.blocked) return;
    this.scheduled = true;
    this.scheduler.schedule(this);
  }

  private writeBatch(budget: number): void {
    const now = performance.now();
    const frames: TextFrame[] = [];
    let taken = 0;
    let bytes = 0;
    while (taken < this.queue.length && bytes < budget) {
      const { frame, deadline } = this.queue[taken++]!;
      this.queuedBytes -= frame.length;
      if (deadline < now) continue;
      frames.push(frame);
      bytes += frame.length;
    }
    this.queue.splice(0, taken);
    if (frames.length > 0) this.wire.write(frames);
  }
}
