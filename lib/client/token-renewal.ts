import { ClientErrorCode, LoopClientError } from './client-errors.js';
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

/** As long as a whole attempt to connect may take by default: a function that hangs must not be the last attempt. */
const TOKEN_DEADLINE_MS = 10_000;

export interface TokenRenewer {
  token(): Promise<string | undefined>;
  /** Gives the server the token. When it succeeds, {@link TokenRenewal.schedule} is called anew. */
  use(token: string | undefined): Promise<void>;
  /** Is told why a renewal failed. Called without `this`. */
  readonly failed: (error: unknown) => void;
}

/** Renews the credentials of an open connection before they expire, and tries again while there is time left. */
export class TokenRenewal {
  readonly #renewer: TokenRenewer;
  #timer: Timer | undefined;
  #expiresAt = 0;
  /** Grows with every schedule, so that a renewal knows whether it still belongs to the one in force. */
  #schedule = 0;

  constructor(renewer: TokenRenewer) {
    this.#renewer = renewer;
  }

  schedule(expiresInMs: number | undefined): void {
    this.stop();
    if (expiresInMs === undefined) return;
    this.#expiresAt = performance.now() + expiresInMs;
    this.#arm(expiresInMs);
  }

  stop(): void {
    this.#schedule++;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(remainingMs: number): void {
    this.#timer = setTimeout(() => void this.#run(), timerMs(renewalWaitMs(remainingMs)));
  }

  async #run(): Promise<void> {
    const schedule = this.#schedule;
    try {
      const token = await this.#freshToken();
      // The connection has ended meanwhile: the next one brings a token of its own.
      if (this.#schedule === schedule) await this.#renewer.use(token);
    } catch (error) {
      // Likewise, and its schedule stands.
      if (this.#schedule === schedule) this.#tryAgain(error);
    }
  }

  #tryAgain(error: unknown): void {
    this.#renewer.failed(error);
    const remainingMs = this.#expiresAt - performance.now();
    if (remainingMs > 0) this.#arm(remainingMs);
  }

  /** The deadline is the timer of this time, so that {@link stop} leaves none behind. */
  #freshToken(): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => reject(lateTokenError()), TOKEN_DEADLINE_MS);
      this.#timer = deadline;
      void this.#renewer
        .token()
        .then(resolve, reject)
        .finally(() => clearTimeout(deadline));
    });
  }
}

function lateTokenError(): LoopClientError {
  return new LoopClientError(
    ClientErrorCode.Timeout,
    `The token function gave no token within ${TOKEN_DEADLINE_MS} ms.`,
  );
}
