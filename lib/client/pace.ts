import type { WelcomeFrame } from '../protocol/frames.js';

/** Shares of what the server allows. The rest is for pings, subscriptions and answers, which do not wait in line. */
const RATE_SHARE = 0.8;
const BURST_SHARE = 0.5;

/** How fast a connection may write, so that a full buffer does not make the server close it for flooding. */
export class Pace {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt = performance.now();

  /** A server that announces no rate is written to as fast as it goes. */
  constructor({ framesPerSecond = Infinity, frameBurst = Infinity }: WelcomeFrame) {
    this.#perMs = (framesPerSecond * RATE_SHARE) / 1_000;
    this.#burst = Math.max(1, Math.floor(frameBurst * BURST_SHARE));
    this.#tokens = this.#burst;
  }

  /** Takes the place of one frame; false when it has to wait. */
  take(): boolean {
    const now = performance.now();
    const filled = this.#perMs === Infinity ? this.#burst : this.#perMs * (now - this.#filledAt);
    this.#tokens = Math.min(this.#burst, this.#tokens + filled);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Time until there is a place, in milliseconds. */
  get waitMs(): number {
    return Math.max(1, Math.ceil((1 - this.#tokens) / this.#perMs));
  }
}
