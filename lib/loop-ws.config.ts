/**
 * Every timing and limit of the module, each with its default. Pass the ones that you change as `config`; the resolved
 * object is frozen and injectable: `constructor(config: LoopWsConfig)`.
 *
 * Unless stated otherwise, a time is 1 to 86 400 000 ms (one day), a number of bytes 1 to 500 000 000 and any other
 * number 1 to 10 000 000. All are whole numbers. Any other value stops the boot.
 */
export class LoopWsConfig {
  /**
   * The server pings each connection this often, in milliseconds. A silent peer is closed with 4408 within two
   * intervals. At least 32. Default 25 000.
   */
  readonly heartbeatMs: number = 25_000;

  /**
   * `authenticate` must settle within this time, in milliseconds. Otherwise the upgrade is refused with 503, or a
   * refresh of credentials is answered with `unavailable`. Default 5 000.
   */
  readonly authenticateTimeoutMs: number = 5_000;
  /**
   * `@OnLoopConnect`, the default subscriptions and the stores must finish within this time, in milliseconds, or the
   * connection is closed with 1013. A client that resumes has the same time to send its positions. Default 10 000.
   */
  readonly connectTimeoutMs: number = 10_000;
  /** Upgrades that may wait for `authenticate` at once; more are refused with 503. Default 1 000. */
  readonly maxPendingUpgrades: number = 1_000;
  /** Average number of upgrades admitted per second; more are refused with 503. Default 500. */
  readonly upgradesPerSecond: number = 500;
  /** Upgrades admitted at once before `upgradesPerSecond` applies. Default 2 000. */
  readonly upgradeBurst: number = 2_000;
  /**
   * `Retry-After` of a 429 or 503 refusal, in milliseconds; randomized by up to 50 % either way and rounded up to whole
   * seconds. Default 2 000.
   */
  readonly retryAfterMs: number = 2_000;
  /**
   * An upgrade request for a path that no listener handles is answered with 404 after this time, in milliseconds.
   * Default 2 000.
   */
  readonly strayUpgradeTimeoutMs: number = 2_000;
  /** Connections on this server; more are refused with 503. Default 100 000. */
  readonly maxConnections: number = 100_000;
  /** Connections of one account on this server; more are refused with 429. Default 1 000. */
  readonly maxConnectionsPerAccount: number = 1_000;
  /**
   * Longest account id, connection id and room name, in characters. At least 36, the length of a random id. Default
   * 128.
   */
  readonly maxIdLength: number = 128;

  /** Longest inbound message, in bytes, at least 256; a longer one closes the connection with 1009. Default 65 536. */
  readonly maxPayload: number = 65_536;
  /** Fragments that one inbound message may have; more close the connection with 1008. Default 64. */
  readonly maxFragments: number = 64;
  /** Deepest nesting of an inbound frame, 1 to 1 000; a deeper frame is answered with `too_deep`. Default 32. */
  readonly maxDepth: number = 32;
  /**
   * Average inbound frames per second of one connection, including WebSocket pings and pongs; more are answered with
   * `rate_limited`. A frame counts once per 4 KiB or part of it, and once more per topic in its `since`. Default 100.
   */
  readonly framesPerSecond: number = 100;
  /** Inbound frames that one connection may send at once before `framesPerSecond` applies. Default 500. */
  readonly frameBurst: number = 500;
  /**
   * Average number of refused frames per minute that one connection may cause; more close it with 4429 or 4500.
   * Default 30.
   */
  readonly refusalsPerMinute: number = 30;

  /** Frames of one connection that are handled concurrently. 1 handles them strictly in sequence. Default 1. */
  readonly handlersInFlight: number = 1;
  /**
   * Frames of one connection that may wait for a handler; beyond that, the socket is not read until half of them are
   * done. Default 64.
   */
  readonly maxQueuedFrames: number = 64;
  /**
   * An event, a subscription or a refresh of credentials must be handled within this time, in milliseconds, or its
   * frame is answered with `timeout`. A handler that takes longer keeps running. The connection is closed with 1013 if
   * a replay takes longer, even one that the server began, or if new credentials were accepted but the subscriptions
   * were not reviewed in time; the client then resumes from its positions. Default 30 000.
   */
  readonly handlerTimeoutMs: number = 30_000;
  /** Schema issues that one error frame lists; 0 lists none. Default 20. */
  readonly maxIssues: number = 20;

  /** Patterns that one connection may hold. Default 200. */
  readonly maxSubscriptions: number = 200;
  /** Rooms that one connection may be in. Default 200. */
  readonly maxRooms: number = 200;

  /**
   * Bytes that may wait for one reader, at least 1 024 and at least `maxEventBytes`; beyond that, the connection is
   * closed with 4413. Default 1 048 576.
   */
  readonly maxQueueBytes: number = 1_048_576;
  /**
   * Longest pushed event or handler reply, in bytes of its frame, at least 1 024. Pushing a longer event rejects with a
   * `LoopPushError`; a longer reply becomes the error `internal`. Default 262 144.
   */
  readonly maxEventBytes: number = 262_144;
  /**
   * Default `ttlMs` of a push, in milliseconds: a frame that waits longer than this for a slow reader is dropped.
   * Default 30 000.
   */
  readonly pushTtlMs: number = 30_000;
  /** How long a push `id` is remembered, in milliseconds. Default 60 000. */
  readonly idempotencyWindowMs: number = 60_000;
  /** How many push ids are remembered; the oldest are forgotten first. Default 10 000. */
  readonly idempotencyMaxIds: number = 10_000;
  /**
   * How often each history is compared with what was delivered of it, in milliseconds. This finds a lost event even
   * when no later event reveals the gap. Default 600 000.
   */
  readonly historyCheckMs: number = 600_000;
  /**
   * Other servers must answer within this time, in milliseconds, or the result is `unknown` or incomplete.
   * Default 1 000.
   */
  readonly receiptTimeoutMs: number = 1_000;
  /** Questions that may be open on one connection; more fail with `send_failed`. Default 100. */
  readonly maxOpenAsks: number = 100;

  /** An account that reconnects within this time, in milliseconds, is not reported offline. May be 0. Default 3 000. */
  readonly presenceGraceMs: number = 3_000;

  /**
   * How often, in milliseconds, each process sends a heartbeat to Redis and checks that its own messages come back.
   * Default 1 000.
   */
  readonly serverBeatMs: number = 1_000;
  /**
   * A server that has been silent this long, in milliseconds by Redis's clock, is considered dead, and its connections
   * are removed. At least three times `serverBeatMs`. Default 6 500.
   */
  readonly serverTimeoutMs: number = 6_500;
  /** At boot, Redis must be reached within this time, in milliseconds, or the boot fails. Default 10 000. */
  readonly redisConnectTimeoutMs: number = 10_000;
  /** A command that Redis does not answer within this time, in milliseconds, fails. Default 2 000. */
  readonly redisCommandTimeoutMs: number = 2_000;
  /**
   * Upper bound of the random delay before the first reconnection attempt to Redis, in milliseconds; it doubles with
   * each attempt. Default 100.
   */
  readonly redisReconnectBaseMs: number = 100;
  /** Longest delay before a reconnection attempt to Redis, in milliseconds. Default 5 000. */
  readonly redisReconnectCapMs: number = 5_000;
  /**
   * How often the slot map of a Redis Cluster is refreshed, in milliseconds; it is refreshed at once when a Redis node
   * reports that a slot has moved. Default 2 000.
   */
  readonly redisSlotsRefreshMs: number = 2_000;
  /**
   * While a process publishes 16 or more messages per millisecond, they are gathered and sent to Redis about this
   * often, in milliseconds. Fewer, larger writes take a fraction of the CPU time on every side. At lower rates, and
   * always when this is 0, messages are sent at the end of the current turn of the event loop. At most 1 000 and half
   * of `receiptTimeoutMs`. Default 1.
   */
  readonly redisGatherMs: number = 1;
  /**
   * Messages and application queries that may wait for Redis at once, at least 2 048; more fail with `backpressure`.
   * Default 10 000.
   */
  readonly redisMaxInFlight: number = 10_000;
  /** Total bytes of these messages and queries; more fail with `backpressure`. Default 16 777 216. */
  readonly redisMaxInFlightBytes: number = 16_777_216;
  /**
   * Redis must confirm that a topic is attached within this time, in milliseconds; shorter outages are waited out.
   * Default 5 000.
   */
  readonly attachTimeoutMs: number = 5_000;
  /**
   * A topic stays attached for this long, in milliseconds, after its last receiver left, so that a reconnection does
   * not have to attach it again. May be 0. Default 10 000.
   */
  readonly topicLingerMs: number = 10_000;
  /**
   * Number of partitions that accounts and channels are divided into, 1 to 1 024. Must be the same for every process on
   * one namespace. Default 64.
   */
  readonly redisPartitions: number = 64;

  /** On shutdown, connections are closed evenly over this time, in milliseconds. May be 0. Default 5 000. */
  readonly drainMs: number = 5_000;
  /**
   * On shutdown, clients are told to reconnect after a random delay of up to this, in milliseconds. May be 0.
   * Default 5 000.
   */
  readonly reconnectSpreadMs: number = 5_000;
  /** A peer must answer a close frame within this time, in milliseconds, or its socket is terminated. Default 3 000. */
  readonly closeTimeoutMs: number = 3_000;
  /**
   * After the drain, handlers, hooks and stores have at most this long, in milliseconds, before the shutdown continues
   * without them. Default 20 000.
   */
  readonly shutdownTimeoutMs: number = 20_000;

  /**
   * Warnings and errors that peers can cause are logged at most once per kind in this time, in milliseconds.
   * Default 10 000.
   */
  readonly logSampleMs: number = 10_000;

  /**
   * Negotiate permessage-deflate. Costs memory and CPU per connection, and connections can no longer share frames.
   * Default false.
   */
  readonly compression: boolean = false;
}

/** What may be passed as `config`: a field that is absent or `undefined` keeps its default. */
export type LoopWsConfigChanges = {
  readonly [Field in keyof LoopWsConfig]?: LoopWsConfig[Field] | undefined;
};
