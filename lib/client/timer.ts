export type Timer = ReturnType<typeof setTimeout>;

const MAX_TIMER_MS = 2_147_483_647;

/**
 * Like `setTimeout`, but capped at the longest possible delay: one that exceeds 32 bits (signed) would fire at once, so
 * "in a month" would mean "now".
 */
export function after(ms: number, run: () => void): Timer {
  return setTimeout(run, Math.min(ms, MAX_TIMER_MS));
}
