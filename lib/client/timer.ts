export type Timer = ReturnType<typeof setTimeout>;

const LONGEST_TIMER_MS = 2_147_483_647;

/** A timer as long as timers can be: one above 32 bits would fire at once, so "in a month" would mean "now". */
export function after(ms: number, run: () => void): Timer {
  return setTimeout(run, Math.min(ms, LONGEST_TIMER_MS));
}
