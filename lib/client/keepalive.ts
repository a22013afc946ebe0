import { timerMs, type Timer } from './timer.js';

export interface Keepalive {
  readonly heard: () => void;
  readonly stop: () => void;
}

/**
 * Notices a link that died without a word: after a heartbeat of silence it pings, after a second one it gives up.
 * Frames only note the time, the timer looks at it; a timer per frame would cost more than the frame.
 */
export function createKeepalive(
  heartbeatMs: number,
  ping: () => void,
  giveUp: () => void,
): Keepalive {
  let timer: Timer;
  let heardAt: number;
  let pinged: boolean;

  function heard(): void {
    heardAt = performance.now();
    pinged = false;
  }

  function check(): void {
    const restMs = heardAt + heartbeatMs - performance.now();
    if (restMs > 0) return checkIn(restMs);
    if (pinged) return giveUp();
    pinged = true;
    checkIn(heartbeatMs);
    ping();
  }

  function checkIn(ms: number): void {
    timer = setTimeout(check, timerMs(ms));
  }

  heard();
  checkIn(heartbeatMs);
  return { heard, stop: () => clearTimeout(timer) };
}
