import { AssertionError } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { within } from '../../util/within.js';
import { must } from './must.js';

const DEFAULT_MS = 5_000;
const POLL_MS = 5;

/** Waits for what must happen, and fails instead of waiting for ever. */
export class Patience {
  constructor(readonly withinMs: number = DEFAULT_MS) {}

  /** `extraMs` is what the contract allows beside. */
  settled<T>(what: string, work: Promise<T>, extraMs = 0): Promise<T> {
    const ms = this.withinMs + extraMs;
    return within(work, ms, () => {
      throw new AssertionError({ message: `${what}: it did not settle within ${ms} ms` });
    });
  }

  /** `seen` is shown when the wait was in vain. */
  async until(
    what: string,
    holds: () => boolean | Promise<boolean>,
    seen: () => unknown = () => undefined,
  ): Promise<void> {
    const deadline = performance.now() + this.withinMs;
    while (!(await holds())) {
      must(`${what}: not within ${this.withinMs} ms`, performance.now() <= deadline, seen());
      await delay(POLL_MS);
    }
  }
}
