import { MAX_TIMER_MS } from '../protocol/max-timer.js';

export type Timer = ReturnType<typeof setTimeout>;

/** Like `setTimeout`, but capped at the longest possible delay: without the cap, "in a month" would mean "now". */
export function after(ms: number, run: () => void): Timer {
  return setTimeout(run, Math.min(ms, MAX_TIMER_MS));
}
