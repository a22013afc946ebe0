/** By how much the clocks of two machines drift apart at most, per millisecond. */
const DRIFT = 0.0005;

/**
 * What time it is in Redis, in milliseconds, told from the answers of commands that asked for it. Each proves a range: the time
 * was read between the sending and the answer. What all ranges share is known as exactly as by the quickest of the answers, so
 * one that came late, from a busy Redis or to a busy process, makes nothing worse.
 */
export class RedisClock {
  /** Of the time of Redis minus the monotonic clock. */
  private least = -Infinity;
  private most = Infinity;
  private notedAt = 0;

  /** As far as it is known, and by the monotonic clock of this process before anything is. */
  now(): number {
    const offset = this.least === -Infinity ? 0 : (this.least + this.most) / 2;
    return performance.now() + offset;
  }

  /** `time`, in whole milliseconds, was read between the other two, which are of the monotonic clock. */
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
