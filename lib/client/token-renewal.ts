import { timerMs, type Timer } from './timer.js';

/** Longest time before the expiry at which a token is renewed: enough for browsers, which slow timers of hidden tabs. */
const LONGEST_MARGIN_MS = 300_000;

/** A server that announces tokens of no lifetime must not be asked in a tight loop. */
const SHORTEST_WAIT_MS = 250;

/** When to renew a token that expires in `expiresInMs`: a fifth of its lifetime before, at most five minutes. */
export function renewalWaitMs(expiresInMs: number): number {
  const marginMs = Math.min(expiresInMs / 5, LONGEST_MARGIN_MS);
  return Math.max(expiresInMs - marginMs, SHORTEST_WAIT_MS);
}

/** Renews the credentials of an open connection before they expire, and tries again while there is time left. */
export class TokenRenewal {
  readonly #renew: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #timer: Timer | undefined;
  #expiresAt = 0;

  /** `renew` rejects when it failed, and `failed` is told why. When it succeeds, {@link schedule} is called anew. */
  constructor(renew: () => Promise<void>, failed: (error: unknown) => void) {
    this.#renew = renew;
    this.#failed = failed;
  }

  schedule(expiresInMs: number | undefined): void {
    this.stop();
    if (expiresInMs === undefined) return;
    this.#expiresAt = performance.now() + expiresInMs;
    this.#arm(expiresInMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(remainingMs: number): void {
    this.#timer = setTimeout(() => void this.#run(), timerMs(renewalWaitMs(remainingMs)));
  }

  async #run(): Promise<void> {
    const timer = this.#timer;
    try {
      await this.#renew();
    } catch (error) {
      // The connection has ended meanwhile: the next one brings a token of its own, and its schedule stands.
      if (this.#timer !== timer) return;
      this.#failed(error);
      const remainingMs = this.#expiresAt - performance.now();
      if (remainingMs > 0) this.#arm(remainingMs);
    }
  }
}
