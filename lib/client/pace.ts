import type { WelcomeFrame } from '../protocol/frames.js';

/** Shares of what the server allows. The rest is for pings, subscriptions and answers, which do not wait in line. */
const RATE_SHARE = 0.8;
const BURST_SHARE = 0.5;

/** How fast a connection may write, so that a full buffer does not make the server close it for flooding. */
export interface Pace {
  /** Time until there is a place for a frame, in milliseconds; none is left when there is one now. */
  readonly waitMs: () => number;
  /** Takes the place of one frame. */
  readonly take: () => void;
}

/** Frames are due one after the other, and may be early by a burst. A server that announces no rate is not waited for. */
export function createPace({
  framesPerSecond = Infinity,
  frameBurst = Infinity,
}: Partial<WelcomeFrame>): Pace {
  const intervalMs = 1_000 / (framesPerSecond * RATE_SHARE);
  const earlyMs = intervalMs * (Math.max(1, Math.floor(frameBurst * BURST_SHARE)) - 1);
  let dueAt = 0;
  return {
    waitMs: () => dueAt - earlyMs - performance.now(),
    take() {
      dueAt = Math.max(dueAt, performance.now()) + intervalMs;
    },
  };
}
