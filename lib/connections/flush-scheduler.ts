import { Injectable } from '@nestjs/common';

interface Flushable {
  flush(now: number): void;
}

/**
 * How long flushing may block the event loop, in milliseconds. The kernel takes about 7 microseconds per connection, so
 * a push to ten thousand would otherwise block everything else for longer.
 */
const SLICE_MS = 8;

/** Number of flushes between two reads of the clock. */
const READ_CLOCK_EVERY = 16;

/**
 * Flushes every outbox that was written to in this turn of the event loop, once, at the end of the turn. If there are
 * too many, the rest waits for the next turn.
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
