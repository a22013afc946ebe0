/** How long a client waits before it comes back. */
export interface BackoffOptions {
  /** Upper bound of the first wait, in milliseconds; it doubles with each attempt. Default 500. */
  readonly baseMs: number;
  /** Upper bound of every wait, in milliseconds. Default 30 000. */
  readonly capMs: number;
  /**
   * How long a connection must have been open before the waits start again at `baseMs`, in milliseconds. Default 5 000.
   * Without it a server that welcomes and then closes would be asked again twice a second by everyone.
   */
  readonly stableMs: number;
}

export const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 500, capMs: 30_000, stableMs: 5_000 };

/**
 * Wait before the attempt number `attempt` (from 0), in milliseconds: exponential with full jitter, anywhere from 0 to
 * the bound. Full jitter spreads a crowd that lost the same server with the fewest calls: Marc Brooker,
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function fullJitterMs(
  attempt: number,
  { baseMs, capMs }: Pick<BackoffOptions, 'baseMs' | 'capMs'>,
  random: () => number,
): number {
  return random() * Math.min(capMs, baseMs * 2 ** attempt);
}
