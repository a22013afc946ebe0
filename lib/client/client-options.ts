import { randomConnectionId } from './address.js';
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
   * renews them in place before they expire. Letters, digits and `-_.~+`, as in JWTs. Default: none.
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
  /**
   * Most bytes of a frame and of all that wait to be sent; beyond it `send` throws and `request` rejects. Default
   * 1 048 576.
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * Where positions are kept while the page is away, e.g. `sessionStorage`: a client of the next page gets what was pushed
   * meanwhile. Pushes to a connection are replayed only to the same `connectionId`, so keep that as well. Default: nowhere;
   * they live as long as the client.
   */
  readonly storage?: LoopStorage | undefined;
  /**
   * Under which key. Two clients of one page need two. `localStorage` is shared by all tabs: give each tab a `storageKey` of
   * its own, or one goes on from where another one was. Default `loopws`.
   */
  readonly storageKey?: string | undefined;
  /** Source of the jitter of the waits between attempts, from 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** The options with their defaults filled in, the waits among them. */
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

/** Fills in defaults; throws a {@link LoopClientError} that names the option which cannot work. */
export function clientSettings(options: LoopClientOptions): ClientSettings {
  const { baseMs, capMs, stableMs } = options.backoff ?? {};
  const settings: Record<string, unknown> = { ...options, baseMs, capMs, stableMs };
  const defaults = {
    ...DEFAULT_BACKOFF,
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
    // Amounts cannot be negative.
    if (typeof byDefault === 'number' && !((value as number) >= 0)) {
      throw clientError('bad_option', name, value);
    }
  }
  if (!settings['WebSocket']) throw clientError('no_web_socket');
  return settings as unknown as ClientSettings;
}
