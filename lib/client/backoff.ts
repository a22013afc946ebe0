/** How long a client waits before it tries again. */
export interface BackoffOptions {
  /** Upper bound of the first wait, in milliseconds; it doubles with each attempt. Default 500. */
  readonly baseMs: number;
  /** Upper bound of every wait, in milliseconds. Default 30 000. */
  readonly capMs: number;
  /**
   * How long a connection must have been open before the waits start again at `baseMs`, in milliseconds. Default 5 000.
   * Without it, every client of a server that welcomes and then closes would retry several times a second.
   */
  readonly stableMs: number;
}
