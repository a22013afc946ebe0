import { ErrorCode } from '../protocol/error-code.js';
import type { ClientFrame } from '../protocol/frames.js';
import { ClientErrorCode, LoopClientError } from './client-errors.js';
import { Credentials, type TokenSource } from './credentials.js';
import type { Answer } from './request-table.js';
import { TokenRenewal } from './token-renewal.js';

export interface AuthenticationObserver {
  ask(frame: Extract<ClientFrame, { readonly op: 'auth' }>): Promise<Answer>;
  /** The server took new credentials: what it refused before may be allowed now, and it ended what is `removed`. */
  refreshed(removed: readonly string[]): void;
  /** A renewal by itself failed. Called without `this`. */
  readonly failed: (error: unknown) => void;
}

/** Keeps an open connection's credentials fresh. */
export class Authentication {
  readonly credentials: Credentials;
  readonly #observer: AuthenticationObserver;
  readonly #renewal: TokenRenewal;
  #stopped = true;

  constructor(source: TokenSource | undefined, observer: AuthenticationObserver) {
    this.credentials = new Credentials(source);
    this.#observer = observer;
    this.#renewal = new TokenRenewal({
      token: () => this.credentials.token(),
      use: (token) => this.#use(token),
      failed: observer.failed,
    });
  }

  async authenticate(token?: string): Promise<void> {
    await this.#use(token ?? (await this.credentials.token()));
  }

  /** A connection has opened: notes when its credentials expire. */
  expiresIn(ms: number | undefined): void {
    this.#stopped = false;
    this.#schedule(ms);
  }

  /** The connection has ended. */
  stop(): void {
    this.#stopped = true;
    this.#renewal.stop();
  }

  async #use(token: string | undefined): Promise<void> {
    if (token === undefined || token === '') throw noTokenError();
    const answer = await this.#submit(token);
    const { expiresInMs, removed } = answer.op === 'ok' ? answer : {};
    this.#schedule(expiresInMs);
    this.#observer.refreshed(textsOf(removed));
  }

  async #submit(token: string): Promise<Answer> {
    // Before the answer: should it be lost with the connection, the next one is to bring the newer token.
    this.credentials.replace(token);
    try {
      const answer = await this.#observer.ask({ op: 'auth', token });
      this.credentials.accepted(token);
      return answer;
    } catch (error) {
      if (isRefusal(error)) this.credentials.refused(token);
      throw error;
    }
  }

  /** Only a token function can renew. An answer that comes after the end of its connection schedules nothing. */
  #schedule(expiresInMs: number | undefined): void {
    if (this.#stopped) return;
    this.#renewal.schedule(this.credentials.renewable ? expiresInMs : undefined);
  }
}

function isRefusal(error: unknown): boolean {
  if (!(error instanceof LoopClientError)) return false;
  return error.code === ErrorCode.Unauthorized || error.code === ErrorCode.Forbidden;
}

/** Whatever a server sends as a list of texts. */
function textsOf(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  return items.filter((item) => typeof item === 'string');
}

function noTokenError(): LoopClientError {
  return new LoopClientError(
    ClientErrorCode.BadOption,
    'There is no token to authenticate with: pass one, or give connect() the option "token".',
  );
}
