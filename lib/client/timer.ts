export type Timer = ReturnType<typeof setTimeout>;

const LONGEST_TIMER_MS = 2_147_483_647;

/** Fits a delay into what timers can hold: one above 32 bits would fire at once, so "in a month" would mean "now". */
export function timerMs(ms: number): number {
  return Math.min(Math.max(ms, 0), LONGEST_TIMER_MS);
}
