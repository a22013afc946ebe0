/**
 * What one script publishes or places at most. Bounds how long it keeps Redis busy: about a microsecond to publish some
 * hundred bytes for one process, and ten to place them in a history as well.
 */
export const OF_ONE_SCRIPT = { count: 64, bytes: 262_144 };
