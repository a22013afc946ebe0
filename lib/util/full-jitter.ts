/**
 * How long to wait before the next attempt, in milliseconds: anything from 0 up to a bound that doubles with each
 * attempt (0 is the first) until the cap. "Full jitter" of Marc Brooker, Exponential Backoff And Jitter, AWS
 * Architecture Blog, 2015.
 */
export function fullJitter(attempt: number, baseMs: number, capMs: number): number {
  return Math.random() * Math.min(capMs, baseMs * 2 ** attempt);
}
