/**
 * From so many messages per millisecond on it is a flood: then what gathers in a millisecond is worth more than the
 * millisecond. Who awaits each push before the next one stays far below, but not a hundred of them at once.
 */
const FLOOD_PER_MS = 16;

/** Tells a flood of messages from what a server usually has to publish. */
export class FloodGauge {
  private since = -Infinity;
  private count = 0;
  private isFlood = false;

  note(): void {
    this.count++;
  }

  /**
   * Whether it is a flood, by what was noted since it was measured a millisecond or more ago.
   *
   * @param now On the monotonic clock, in milliseconds.
   */
  measure(now: number): boolean {
    const ms = now - this.since;
    if (ms >= 1) {
      this.isFlood = this.count >= FLOOD_PER_MS * ms;
      this.since = now;
      this.count = 0;
    }
    return this.isFlood;
  }
}
