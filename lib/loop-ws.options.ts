import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { LoopConnection } from './connections/loop-connection.js';
import type { LoopRequest } from './gateway/request/loop-request.js';
import type { LoopWsConfigChanges } from './loop-ws.config.js';
import type { PresenceStore } from './presence/presence-store.js';
import type { RedisSource } from './redis/redis.options.js';
import type { LoopTransport } from './transport/loop-transport.js';
import type { HistoryPolicy } from './transport/topic-history.js';

/** Who is connecting. */
export interface LoopIdentity {
  /** Tenant, user or customer: any string of 1 to `maxIdLength` characters. */
  readonly accountId: string;
  /** Unique within the account. Default: the query parameter `connectionId`, or else a random one. */
  readonly connectionId?: string | undefined;
  /** When the credentials expire, as a Date or in milliseconds since 1970. The connection is then closed with 4501. */
  readonly expiresAt?: Date | number | undefined;
  /** Anything that your code needs to know about this connection later: roles, scopes, a name. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

type MaybePromise<T> = T | Promise<T>;

/**
 * Identifies the client before the socket is opened. Returning `null` or `undefined` refuses it with 401. A thrown
 * `HttpException` refuses it with its status; any other thrown value refuses it with 401 and is logged.
 */
export type LoopAuthenticator = (
  request: LoopRequest,
) => MaybePromise<LoopIdentity | null | undefined>;

/**
 * Decides whether this connection may subscribe to this pattern. To deny, return `false` or throw an `HttpException`
 * 4xx. Any other exception means that it cannot be decided now, and is logged. The client is then denied with
 * `unavailable` and requests the pattern again; for a default pattern, the connection that is opening is closed with
 * 1013; a refresh of credentials changes nothing.
 */
export type LoopAuthorizer = (connection: LoopConnection, pattern: string) => MaybePromise<boolean>;

/** Schemas by full event name, from any Standard Schema library. */
export type LoopEventSchemas = Readonly<Record<string, StandardSchemaV1>>;

/** The options of one service. */
export interface LoopServiceOptions {
  /**
   * Makes the pushes of this service durable: a client that was away gets them when it returns, in order and once, or
   * is told by a `reset` that they are no longer available. `size` is how many pushes are kept per account, room and
   * service; `ttlMs` is for how long, in milliseconds. An account or a room keeps as many as the service with the
   * largest `size`. Default none: pushes are delivered at most once.
   */
  readonly history?: HistoryPolicy | undefined;
}

export interface LoopWsOptions {
  /** Path of the WebSocket endpoint on the application's HTTP server, without the global prefix. Default `/ws`. */
  readonly path?: string | undefined;
  /** The services whose events this bus carries: an array of names, or an object from names to options. Required. */
  readonly services: readonly string[] | Readonly<Record<string, LoopServiceOptions>>;
  /** Patterns that every connection starts with, if `authorize` grants them. Default none. */
  readonly defaultSubscriptions?: readonly string[] | undefined;
  /** Required. Use `anonymousAccounts()` to let everyone in. */
  readonly authenticate: LoopAuthenticator;
  /**
   * Asked for each pattern that a client requests or gets by default, and again for the patterns it holds when it
   * refreshes its credentials. Default: every pattern of a declared service is granted.
   */
  readonly authorize?: LoopAuthorizer | undefined;
  /**
   * Origins that browsers may connect from, such as `https://app.example`, compared exactly. A request without an
   * `Origin` header does not come from a browser and is admitted. Default: the host of the origin must be the host of
   * the request. `'*'` admits every origin; use it only when clients authenticate with tokens and never with cookies.
   */
  readonly allowedOrigins?: readonly string[] | '*' | undefined;
  /** Name of this process, unique in the cluster. Default: random. */
  readonly serverId?: string | undefined;
  /** Timings and limits. */
  readonly config?: LoopWsConfigChanges | undefined;
  /** Schemas of inbound payloads; see `defineLoopEvents`. Default: payloads reach handlers without validation. */
  readonly events?: LoopEventSchemas | undefined;
  /**
   * Connects all processes that use the same Redis and `namespace` into one bus. A URL, ioredis options (including
   * Sentinel), or an ioredis client of the application, which is duplicated and never closed. Needs the package
   * `ioredis` 5.4 or 6.
   */
  readonly redis?: RedisSource | undefined;
  /**
   * Prefix of every key and channel in Redis. Applications with different namespaces do not receive each other's
   * messages. 1 to 64 letters, digits, `_`, `.` and `-`. Default `lw`.
   */
  readonly namespace?: string | undefined;
  /** Carries pushes between servers; takes precedence over `redis`. Default: in memory, for one server. */
  readonly transport?: LoopTransport | undefined;
  /** Tracks who is connected; takes precedence over `redis`. Default: in memory, for one server. */
  readonly presence?: PresenceStore | undefined;
}

/** Options of a process that pushes and accepts no clients: `gateway: false`. */
export type LoopWsWorkerOptions = Pick<
  LoopWsOptions,
  'services' | 'serverId' | 'config' | 'events' | 'redis' | 'namespace' | 'transport' | 'presence'
>;

/** For `forRootAsync({ useClass })` and `({ useExisting })`. */
export interface LoopWsOptionsFactory<Options extends LoopWsWorkerOptions = LoopWsOptions> {
  createLoopWsOptions(): MaybePromise<Options>;
}
