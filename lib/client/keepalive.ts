import { timerMs, type Timer } from './timer.js';

/**
 * Notices a link that died without a word: after a heartbeat of silence it pings, after a second one it gives up.
 * Frames only note the time, the timer looks at it; a timer per frame would cost more than the frame.
 */
export class Keepalive {
  readonly #heartbeatMs: number;
  readonly #ping: () => void;
  readonly #giveUp: () => void;
  #timer: Timer | undefined;
  #heardAt = performance.now();
  #pinged = false;

  constructor(heartbeatMs: number, ping: () => void, giveUp: () => void) {
    this.#heartbeatMs = heartbeatMs;
    this.#ping = ping;
    this.#giveUp = giveUp;
    this.#checkIn(heartbeatMs);
  }

  heard(): void {
    this.#heardAt = performance.now();
    this.#pinged = false;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #check(): void {
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs < this.#heartbeatMs) return this.#checkIn(this.#heartbeatMs - silentMs);
    if (this.#pinged) return this.#giveUp();
    this.#pinged = true;
    this.#checkIn(this.#heartbeatMs);
    this.#ping();
  }

  #checkIn(ms: number): void {
    this.#timer = setTimeout(() => this.#check(), timerMs(ms));
  }
}
