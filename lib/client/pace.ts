import { BYTES_PER_FRAME } from '../protocol/frame-cost.js';
import type { WelcomeFrame } from '../protocol/frames.js';

/**
 * The share of the server's rate for frames that wait in line. The rest is for pings, subscriptions and answers, which do
 * not wait.
 */
const RATE_SHARE = 0.8;
/** The same of its burst. */
const BURST_SHARE = 0.5;

/**
 * Limits how fast a client writes, so that the server does not close it for flooding when its buffer is full: frames
 * are due at a steady rate, a long one takes the time of several, and they may be early by a burst. Without a rate in
 * the welcome, there is no limit.
 *
 * @returns a function that returns the milliseconds until there is a place for a frame of so many bytes, and takes the
 *   place if that is not above 0
 */
export function createPace(): (welcome: WelcomeFrame, bytes: number) => number {
  let dueAt = 0;
  return ({ framesPerSecond, frameBurst }, bytes) => {
    const now = performance.now();
    const intervalMs = 1_000 / RATE_SHARE / framesPerSecond!;
    // NaN, which is not above 0, if the server does not announce both.
    const waitMs = dueAt - now - intervalMs * (frameBurst! - 1) * BURST_SHARE;
    // At least what the server counts.
    if (waitMs <= 0) dueAt = Math.max(dueAt, now) + intervalMs * (1 + bytes / BYTES_PER_FRAME);
    return waitMs;
  };
}
