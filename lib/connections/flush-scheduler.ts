import { Injectable } from '@nestjs/common';

interface Flushable {
  flush(now: number): void;
}

/**
 * How long the event loop may be kept by flushing, in milliseconds. The kernel takes about 7 microseconds for each
 * connection, so a push to ten thousand would stop everything else for longer.
 */
const SLICE_MS = 8;

/** After so many the clock is read again. */
const READ_CLOCK_EVERY = 16;

/**
 * Flushes every outbox that was written to in this turn of the event loop, once, at its end: all of them at once, unless
 * they are so many that the rest has to wait for the next turn.
 */
@Injectable()
export class FlushScheduler {
  private dirty: Flushable[] = [];
  private flushed = 0;

  schedule(outbox: Flushable): void {
    if (this.dirty.length === 0) setImmediate(() => this.flushSlice());
    this.dirty.push(outbox);
  }

  private flushSlice(): void {
    let now = performance.now();
    const until = now + SLICE_MS;
    while (this.flushed < this.dirty.length && now < until) {
      this.dirty[this.flushed++]!.flush(now);
      if (this.flushed % READ_CLOCK_EVERY === 0) now = performance.now();
    }
    if (this.flushed < this.dirty.length) setImmediate(() => this.flushSlice());
    else this.forgetFlushed();
  }

  private forgetFlushed(): void {
    this.dirty = [];
    this.flushed = 0;
  }
}
