import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from './monotonic-clock.js';

/** Points in time at a steady distance, or one turn of the event loop after the other. */
export class Schedule {
  private due = monotonicMs();

  /** @param everyMs 0 for as fast as possible. */
  constructor(private readonly everyMs: number) {}

  /** When what happens now should have happened, by the clock that all processes share. */
  get dueMs(): number {
    return this.everyMs > 0 ? this.due : monotonicMs();
  }

  /** Resolves at the next point, or in the next turn when that has passed. */
  async next(): Promise<void> {
    this.due += this.everyMs;
    const waitMs = this.everyMs > 0 ? this.due - monotonicMs() : 0;
    await (waitMs > 0 ? delay(waitMs) : turn());
  }
}
