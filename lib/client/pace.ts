import type { WelcomeFrame } from '../protocol/frames.js';

/** Shares of what the server allows. The rest is for pings, subscriptions and answers, which do not wait in line. */
const RATE_SHARE = 0.8;
const BURST_SHARE = 0.5;

/**
 * How fast a client may write, so that a full buffer does not make the server close it for flooding: frames are due one
 * after the other, and may be early by a burst. A server that announces no rate is written to as fast as it goes.
 *
 * @returns a function that takes the place of one frame, or returns the milliseconds until there is one
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
