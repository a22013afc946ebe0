import type { WelcomeFrame } from '../protocol/frames.js';

/**
 * The shares of the server's limits for frames that wait in line. The rest is for pings, subscriptions and answers,
 * which do not wait.
 */
const RATE_SHARE = 0.8;
const BURST_SHARE = 0.5;

/**
 * Limits how fast a client writes, so that the server does not close it for flooding when its buffer is full: frames
 * are due at a steady rate, and may be early by a burst. Without a rate in the welcome, there is no limit.
 *
 * @returns a function that returns 0 and takes the place of one frame, or returns the milliseconds until there is one
 */
export function createPace(): (welcome: WelcomeFrame) => number {
  let dueAt = 0;
  return ({ framesPerSecond = Infinity, frameBurst = 1 }) => {
    const now = performance.now();
    const intervalMs = 1_000 / (framesPerSecond * RATE_SHARE);
    const waitMs = dueAt - now - intervalMs * (Math.max(1, frameBurst * BURST_SHARE) - 1);
    if (waitMs > 0) return waitMs;
    dueAt = Math.max(dueAt, now) + intervalMs;
    return 0;
  };
}
