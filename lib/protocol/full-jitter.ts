/** Determines how long to wait before an attempt. Bounds are in milliseconds. */
export interface Backoff {
  /** Upper bound of the first wait; it doubles with each attempt. */
  readonly baseMs: number;
  /** Upper bound of every wait. */
  readonly capMs: number;
  /** Returns a number from 0 up to, but not including, 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/**
 * Wait before attempt number `attempt` (counted from 0), in milliseconds: exponential with full jitter, anywhere from 0
 * to the bound. Full jitter spreads clients that lost the same server with the fewest calls: Marc Brooker, "Exponential
 * Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function fullJitterMs(
  attempt: number,
  { baseMs, capMs, random = Math.random }: Backoff,
): number {
  return random() * Math.min(capMs, baseMs * 2 ** attempt);
}
