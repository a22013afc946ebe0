/**
 * The most that one script publishes or places. Bounds how long it keeps Redis busy: about one microsecond to publish a
 * few hundred bytes to one process, and about ten to place them in a history as well.
 */
export const SCRIPT_LIMITS = { count: 64, bytes: 262_144 };
