import { BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL } from '../protocol/subprotocol.js';
import { ClientErrorCode, LoopClientError } from './client-errors.js';

/** A token, or a function that is asked for a fresh one at every connect and before the old one expires. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

/** Characters of an HTTP token (RFC 9110, section 5.6.2): a subprotocol can carry no others. */
const SUBPROTOCOL_TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** Where the token of the next connection comes from. */
export class Credentials {
  #source: TokenSource | undefined;
  /** What to go back to when the server refuses a token that was tried. */
  #good: TokenSource | undefined;

  constructor(source: TokenSource | undefined) {
    this.#source = source;
    this.#good = source;
  }

  /** Whether a fresh token can be had without the application's doing. */
  get renewable(): boolean {
    return typeof this.#source === 'function';
  }

  async token(): Promise<string | undefined> {
    return typeof this.#source === 'function' ? await this.#source() : this.#source;
  }

  /**
   * Makes later connections use this token, unless it is {@link refused}. A function stays in charge: it is the one
   * that knows newer tokens.
   */
  replace(token: string): void {
    if (!this.renewable) this.#source = token;
  }

  accepted(token: string): void {
    if (!this.renewable) this.#good = token;
  }

  /** Leaves a token alone that has replaced this one meanwhile: the server has yet to decide about it. */
  refused(token: string): void {
    if (this.#source === token) this.#source = this.#good;
  }
}

/** The subprotocols to offer: a browser cannot set headers, so the token is one of them. */
export function subprotocolsFor(token: string | undefined): string[] {
  if (token === undefined || token === '') return [SUBPROTOCOL];
  if (SUBPROTOCOL_TOKEN.test(token)) return [SUBPROTOCOL, `${BEARER_SUBPROTOCOL_PREFIX}${token}`];
  throw new LoopClientError(
    ClientErrorCode.BadOption,
    'The token has characters that a WebSocket subprotocol cannot carry, such as "=", "/" or a space: use base64url without padding, as JWTs do.',
  );
}
