import { BYTES_PER_FRAME } from '../protocol/frame-cost.js';
import type { WelcomeFrame } from '../protocol/frames.js';

/**
 * The share of the server's rate that is for frames that wait for their turn. The rest is for pings, subscriptions and
 * answers, which do not wait.
 */
const RATE_SHARE = 0.8;
/** The same share of its burst. */
const BURST_SHARE = 0.5;

/**
 * Limits how fast a client writes, so that the server does not close it for flooding when the client sends everything
 * that it has buffered. Frames are due at a steady rate, a long frame takes the time of several, and frames may be
 * early by a burst. Without a rate in the welcome, there is no limit.
 *
 * @returns A function that returns how many milliseconds a frame of this many bytes has to wait. If the wait is not
 *   above 0, the frame is counted as sent.
 */
export function createPace(): (welcome: WelcomeFrame, bytes: number) => number {
  let dueAt = 0;
  return ({ framesPerSecond, frameBurst }, bytes) => {
    const now = performance.now();
    const intervalMs = 1_000 / RATE_SHARE / framesPerSecond!;
    // NaN, which is not above 0, unless the server announces both.
    const waitMs = dueAt - now - intervalMs * (frameBurst! - 1) * BURST_SHARE;
    // Never less than what the server counts for the frame.
    if (waitMs <= 0) dueAt = Math.max(dueAt, now) + intervalMs * (1 + bytes / BYTES_PER_FRAME);
    return waitMs;
  };
}
