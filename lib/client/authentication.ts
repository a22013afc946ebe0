import type { ClientFrame } from '../protocol/frames.js';
import { ClientErrorCode, LoopClientError } from './client-errors.js';
import { Credentials, type TokenSource } from './credentials.js';
import type { Answer } from './request-table.js';
import { TokenRenewal } from './token-renewal.js';

export interface AuthenticationObserver {
  ask(frame: Extract<ClientFrame, { readonly op: 'auth' }>): Promise<Answer>;
  /** The server took new credentials: what it refused before may be allowed now. */
  refreshed(): void;
  /** A renewal by itself failed. Called without `this`. */
  readonly failed: (error: unknown) => void;
}

/** Keeps an open connection's credentials fresh. */
export class Authentication {
  readonly credentials: Credentials;
  readonly #observer: AuthenticationObserver;
  readonly #renewal: TokenRenewal;

  constructor(source: TokenSource | undefined, observer: AuthenticationObserver) {
    this.credentials = new Credentials(source);
    this.#observer = observer;
    this.#renewal = new TokenRenewal(() => this.authenticate(), observer.failed);
  }

  async authenticate(token?: string): Promise<void> {
    const fresh = token ?? (await this.credentials.token());
    if (fresh === undefined || fresh === '') throw noTokenError();
    this.credentials.replace(fresh);
    const answer = await this.#observer.ask({ op: 'auth', token: fresh });
    this.expiresIn(answer.op === 'ok' ? answer.expiresInMs : undefined);
    this.#observer.refreshed();
  }

  /** Notes when the credentials in use expire; only a token function can renew them. */
  expiresIn(ms: number | undefined): void {
    this.#renewal.schedule(this.credentials.renewable ? ms : undefined);
  }

  stop(): void {
    this.#renewal.stop();
  }
}

function noTokenError(): LoopClientError {
  return new LoopClientError(
    ClientErrorCode.BadOption,
    'There is no token to authenticate with: pass one, or give connect() the option "token".',
  );
}
