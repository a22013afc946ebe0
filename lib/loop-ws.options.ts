import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { LoopConnection } from './connections/loop-connection.js';
import type { LoopRequest } from './gateway/loop-request.js';
import type { LoopWsConfigChanges } from './loop-ws.config.js';
import type { PresenceStore } from './presence/presence-store.js';
import type { RedisSource } from './redis/redis.options.js';
import type { LoopTransport } from './transport/loop-transport.js';
import type { HistoryPolicy } from './transport/topic-history.js';

/** Who is connecting. */
export interface LoopIdentity {
  /** Tenant, user or customer: any text of 1 to `maxIdLength` characters. */
  readonly accountId: string;
  /** Unique within the account. Default: `connectionId` of the query string, else a random one. */
  readonly connectionId?: string | undefined;
  /** When the credentials end, as a date or in milliseconds since 1970. The connection closes with 4501 then. */
  readonly expiresAt?: Date | number | undefined;
  /** Whatever your code wants to know of this connection later: roles, scopes, a name. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

type MaybePromise<T> = T | Promise<T>;

/**
 * Says who is connecting, before the socket is opened. `null` or `undefined` refuses with 401; an `HttpException`
 * refuses with its status; anything else that is thrown refuses with 401 and is logged.
 */
export type LoopAuthenticator = (
  request: LoopRequest,
) => MaybePromise<LoopIdentity | null | undefined>;

/** Says whether this connection may hold this pattern. Throwing means no, and is logged. */
export type LoopAuthorizer = (connection: LoopConnection, pattern: string) => MaybePromise<boolean>;

/** Schemas by full event name, of any Standard Schema library. */
export type LoopEventSchemas = Readonly<Record<string, StandardSchemaV1>>;

/** What an application declares of a service. */
export interface LoopServiceOptions {
  /**
   * Makes its pushes durable: who was away gets them on return, in order and once, or is told by a `reset` that they
   * cannot be had. `size` is how many are kept per account, room and service, `ttlMs` for how long, in milliseconds. An
   * account or a room keeps as many as the service with the largest `size`. Default none: pushes are at most once.
   */
  readonly history?: HistoryPolicy | undefined;
}

export interface LoopWsOptions {
  /** Path of the WebSocket endpoint on the application's HTTP server. The global prefix does not apply. Default `/ws`. */
  readonly path?: string | undefined;
  /** The services whose events travel on this bus: a list of names, or a map from name to options. Required. */
  readonly services: readonly string[] | Readonly<Record<string, LoopServiceOptions>>;
  /** Patterns that every connection starts with, as far as `authorize` grants them. Default none. */
  readonly defaultSubscriptions?: readonly string[] | undefined;
  /** Required. Use `anonymousAccounts()` to let everyone in. */
  readonly authenticate: LoopAuthenticator;
  /** Asked once per pattern that a client wants. Default: every pattern of a declared service is granted. */
  readonly authorize?: LoopAuthorizer | undefined;
  /**
   * Origins that browsers may connect from, such as `https://app.example`, compared exactly. A request without an
   * `Origin` header does not come from a browser and passes. Default: the origin must be the host that is connected to.
   * `'*'` admits every origin; choose it only when credentials are tokens and never cookies.
   */
  readonly allowedOrigins?: readonly string[] | '*' | undefined;
  /** Name of this process, unique in the cluster. Default: a random one. */
  readonly serverId?: string | undefined;
  /** Timings and limits. */
  readonly config?: LoopWsConfigChanges | undefined;
  /** Schemas of inbound payloads; see `defineLoopEvents`. Default: payloads reach handlers as they came. */
  readonly events?: LoopEventSchemas | undefined;
  /**
   * Makes one bus of all processes that name the same Redis and `namespace`: a URL, options of ioredis (Sentinels
   * included), or a client of the application, which is duplicated and not closed. Needs the package `ioredis` 5.4 or 6.
   */
  readonly redis?: RedisSource | undefined;
  /**
   * Begins every key and channel in Redis. Applications with different ones do not hear each other. 1 to 64 letters,
   * digits, `_`, `.` and `-`. Default `lw`.
   */
  readonly namespace?: string | undefined;
  /** Carries pushes between servers, instead of `redis` if both are given. Default: in memory, one server. */
  readonly transport?: LoopTransport | undefined;
  /** Knows who is connected, instead of `redis` if both are given. Default: in memory, one server. */
  readonly presence?: PresenceStore | undefined;
}

/** Options of a process that pushes and that no client connects to: `gateway: false`. */
export type LoopWsWorkerOptions = Pick<
  LoopWsOptions,
  'services' | 'serverId' | 'config' | 'events' | 'redis' | 'namespace' | 'transport' | 'presence'
>;

/** For `forRootAsync({ useClass })` and `({ useExisting })`. */
export interface LoopWsOptionsFactory<Options extends LoopWsWorkerOptions = LoopWsOptions> {
  createLoopWsOptions(): MaybePromise<Options>;
}
