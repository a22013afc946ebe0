import { randomConnectionId, socketAddress } from './address.js';
import { DEFAULT_BACKOFF, type BackoffOptions } from './backoff.js';
import type { TokenSource } from './authentication.js';
import { clientError } from './client-errors.js';
import type { LoopStorage } from './positions.js';
import type { WebSocketConstructor } from './web-socket.js';

/** The server's address, or a function that is asked for one at every attempt. */
export type UrlSource = string | (() => string);

/** How to reach the server, and how patiently. Every field has a default. */
export interface LoopClientOptions {
  /**
   * The credentials: a token, or a function that is asked for one at every connect. With a function the client also
   * renews them in place before they expire. Letters, digits and `-_.~+` and the like, as in JWTs. Default: none.
   */
  readonly token?: TokenSource | undefined;
  /**
   * Identity of this connection within its account, e.g. the serial of a device. It stays the same across reconnects,
   * so the new socket replaces the old one on the server. Default: a random one for each `connect`.
   */
  readonly connectionId?: string | undefined;
  /** The WebSocket class. Default: the platform's own; Node 20 has none, pass that of the `ws` package. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** Waits between attempts: exponential with full jitter. Default `{ baseMs: 500, capMs: 30_000, stableMs: 5_000 }`. */
  readonly backoff?: Partial<BackoffOptions> | undefined;
  /** Time for the token, the socket and the server's welcome together, in milliseconds. Default 10 000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time for an answer, counted from the call, in milliseconds. Default 10 000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Most bytes that may wait to be sent; beyond it `send` throws and `request` rejects. Default 1 048 576. */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * Where positions are kept while the page is away, e.g. `sessionStorage`: a client of the next page gets what was pushed
   * meanwhile. Default: nowhere; they live as long as the client.
   */
  readonly storage?: LoopStorage | undefined;
  /** Under which key. Two clients of one page need two. Default `loopws`. */
  readonly storageKey?: string | undefined;
  /** Source of the jitter, from 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** Defaults of the options that are amounts. */
const DEFAULT_AMOUNTS = {
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  maxBufferedBytes: 1_048_576,
};

/** The options with their defaults filled in. */
export interface ClientSettings {
  /** What to dial; asked at every attempt. */
  readonly address: (resumes: boolean) => string;
  readonly storage: LoopStorage | undefined;
  readonly storageKey: string;
  readonly token: TokenSource | undefined;
  readonly WebSocket: WebSocketConstructor;
  readonly backoff: BackoffOptions;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxBufferedBytes: number;
  readonly random: () => number;
}

/** Fills in defaults; throws a {@link LoopClientError} that names the option which cannot work. */
export function clientSettings(
  url: UrlSource,
  {
    backoff = {},
    connectionId = randomConnectionId(),
    random = Math.random,
    storage,
    storageKey = 'loopws',
    token,
    WebSocket = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket,
    ...amounts
  }: LoopClientOptions,
): ClientSettings {
  if (!WebSocket) {
    throw clientError(
      'no_web_socket',
      'This platform has no global WebSocket (Node has one from version 22): install the "ws" package and pass it, connect(url, { WebSocket }).',
    );
  }
  const address = (resumes: boolean): string =>
    socketAddress(typeof url === 'function' ? url() : url, connectionId, resumes);
  // A fixed address is checked now, one that is yet to be asked for when it is.
  if (typeof url === 'string') address(false);
  return {
    address,
    storage,
    storageKey,
    token,
    WebSocket,
    random,
    backoff: amountsOf(DEFAULT_BACKOFF, backoff, 'backoff.'),
    ...amountsOf(DEFAULT_AMOUNTS, amounts),
  };
}

function amountsOf<T extends Readonly<Record<keyof T, number>>>(
  defaults: T,
  options: { readonly [Name in keyof T]?: number | undefined },
  prefix = '',
): T {
  const amounts = { ...defaults };
  for (const name in defaults) {
    const amount = options[name] ?? defaults[name];
    if (!(amount >= 0)) {
      throw clientError(
        'bad_option',
        `The option "${prefix}${name}" must be a number from 0 up, not ${amount}.`,
      );
    }
    amounts[name] = amount as T[typeof name];
  }
  return amounts;
}
