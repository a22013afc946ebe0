import { Injectable } from '@nestjs/common';

interface Flushable {
  flush(): void;
}

/** Flushes every outbox that was written to in this turn of the event loop, once, at its end. */
@Injectable()
export class FlushScheduler {
  private dirty: Flushable[] = [];

  schedule(outbox: Flushable): void {
    if (this.dirty.length === 0) setImmediate(() => this.flushAll());
    this.dirty.push(outbox);
  }

  private flushAll(): void {
    const dirty = this.dirty;
    this.dirty = [];
    for (const outbox of dirty) outbox.flush();
  }
}
