/**
 * This many messages per millisecond or more are a flood: batching those of a millisecond then saves more than the
 * millisecond. A caller that awaits each push before the next stays far below this rate; a hundred such callers do not.
 */
const FLOOD_PER_MS = 16;

/** Distinguishes a flood of messages from the usual load of a server. */
export class FloodGauge {
  private since = -Infinity;
  private count = 0;
  private isFlood = false;

  note(): void {
    this.count++;
  }

  /**
   * Whether the messages noted since the last measurement are a flood. Repeats the last result until a millisecond has
   * passed since.
   *
   * @param now By the monotonic clock, in milliseconds.
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
