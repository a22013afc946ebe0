import { randomConnectionId } from './address.js';
import type { BackoffOptions } from './backoff.js';
import { clientError } from './client-errors.js';
import type { WebSocketConstructor } from './web-socket.js';

/** The server's address, or a function that is called for one at every attempt. */
export type UrlSource = string | (() => string);

/** A token, or a function that returns a fresh one: it is called on every connect and before the old token expires. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

/** Keeps a client's positions between page loads, for example `sessionStorage` or `localStorage`. */
export interface LoopStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): unknown;
}

/** How to reach the server, and how long to wait for it. Every field has a default. */
export interface LoopClientOptions {
  /**
   * The credentials: a token, or a function that is called for one at every connect. With a function the client also
   * renews them in place before they expire. A token has letters, digits and `-_.~+`, as in JWTs. Default: none.
   */
  readonly token?: TokenSource | undefined;
  /**
   * Identity of this connection within its account, e.g. a device serial. It stays the same across reconnects, so the
   * new socket replaces the old one on the server. Default: a random one for each `connect`.
   */
  readonly connectionId?: string | undefined;
  /** The WebSocket class. Default: the platform's own. Node 20 has none: pass the one from the `ws` package. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /**
   * Waits between attempts to connect and to subscribe: exponential backoff with full jitter. Default
   * `{ baseMs: 500, capMs: 30_000, stableMs: 5_000 }`.
   */
  readonly backoff?: Partial<BackoffOptions> | undefined;
  /** Time limit for the token, the socket and the server's welcome together, in milliseconds. Default 10 000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time limit for an answer, counted from the call, in milliseconds. Default 10 000. */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * Most bytes that may wait to be sent, the new frame included; beyond it `send` throws and `request` rejects. Default
   * 1 048 576.
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * Where positions are kept while the page is away, e.g. `sessionStorage`, so that the client of the next page gets
   * what was pushed meanwhile. Pushes to a connection are replayed only to the same `connectionId`, so keep that as
   * well. Default: nowhere; they live as long as the client.
   */
  readonly storage?: LoopStorage | undefined;
  /**
   * The key in the storage. Two clients of one page need different keys. All tabs share `localStorage`: give each tab
   * its own `storageKey`, or one tab resumes from the positions of another. Default `loopws`.
   */
  readonly storageKey?: string | undefined;
  /** Random source of the jitter between attempts, from 0 up to but excluding 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** The options with their defaults filled in and the fields of `backoff` flattened. */
export interface ClientSettings extends BackoffOptions {
  readonly connectionId: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxBufferedBytes: number;
  readonly random?: (() => number) | undefined;
  readonly token?: TokenSource | undefined;
  readonly storage?: LoopStorage | undefined;
  readonly storageKey: string;
  readonly WebSocket: WebSocketConstructor;
}

/** Fills in defaults. Throws a {@link LoopClientError} that names an invalid option, or the missing `WebSocket`. */
export function clientSettings(options: LoopClientOptions): ClientSettings {
  const settings: Record<string, unknown> = { ...options, ...options.backoff };
  const defaults = {
    baseMs: 500,
    capMs: 30_000,
    stableMs: 5_000,
    connectionId: randomConnectionId(),
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 10_000,
    maxBufferedBytes: 1_048_576,
    storageKey: 'loopws',
    WebSocket: (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket,
  };
  for (const name in defaults) {
    const byDefault = defaults[name as keyof typeof defaults];
    const value = (settings[name] ??= byDefault);
    // Negated, so that it refuses `NaN` as well.
    if (typeof byDefault === 'number' && !((value as number) >= 0)) {
      throw clientError('bad_option', name, value);
    }
  }
  if (!settings['WebSocket']) throw clientError('no_web_socket');
  return settings as unknown as ClientSettings;
}
