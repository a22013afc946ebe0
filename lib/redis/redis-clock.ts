/** The most that the clocks of two machines drift apart per millisecond, in milliseconds. */
const DRIFT = 0.0005;

/**
 * Estimates the Redis time, in milliseconds, from the answers to commands that ask for it. Each answer proves a range,
 * because the time was read between sending and answer. The intersection of all ranges is as exact as the quickest
 * answer, so a late one, from a busy Redis or to a busy process, makes nothing worse.
 */
export class RedisClock {
  /** Bounds of the Redis time minus the monotonic clock. */
  private least = -Infinity;
  private most = Infinity;
  private notedAt = 0;

  /** The estimate, or the monotonic clock of this process as long as there was no answer. */
  now(): number {
    const offset = this.least === -Infinity ? 0 : (this.least + this.most) / 2;
    return performance.now() + offset;
  }

  /** `time`, in whole milliseconds, was read between the other two, which are by the monotonic clock. */
  note(time: number, sentAt: number, answeredAt: number): void {
    const drift = (answeredAt - this.notedAt) * DRIFT;
    const [least, most] = [time - answeredAt, time + 1 - sentAt];
    const [sharedLeast, sharedMost] = [
      Math.max(least, this.least - drift),
      Math.min(most, this.most + drift),
    ];
    const isSameClock = sharedLeast <= sharedMost; // else it is another Redis, or its clock was set
    [this.least, this.most] = isSameClock ? [sharedLeast, sharedMost] : [least, most];
    this.notedAt = answeredAt;
  }
}
