/**
 * From so many messages per millisecond on it is a flood: then what gathers in a millisecond is worth more than the
 * millisecond. Callers that await each push before the next one stay far below.
 */
const FLOOD_PER_MS = 16;

/** Tells a flood of messages from what a server usually has to publish. */
export class FloodGauge {
  private since = -Infinity;
  private count = 0;
  private wasFlood = false;

  note(): void {
    this.count++;
  }

  /** @param now On the monotonic clock, in milliseconds. */
  isFlood(now: number): boolean {
    const ms = now - this.since;
    if (ms >= 1) {
      this.wasFlood = this.count >= FLOOD_PER_MS * ms;
      this.since = now;
      this.count = 0;
    }
    return this.wasFlood;
  }
}
