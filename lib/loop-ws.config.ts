import { LoopWsBootError } from './loop-ws.errors.js';
import { isFields, wrongOption } from './loop-ws.option-readers.js';

/**
 * Every timing and limit of the module, each with its default. Pass the ones you change as `config`; the resolved
 * object is frozen and injectable: `constructor(config: LoopWsConfig)`.
 *
 * Where nothing else is said, a timing is 1 to 86 400 000 ms (a day), a number of bytes at most 500 000 000 and any
 * other number 1 to 10 000 000, all whole. Anything else stops the boot.
 */
export class LoopWsConfig {
  /**
   * The server pings each connection this often, in milliseconds; a peer of which nothing is heard is closed with 4408
   * within two intervals. At least 32. Default 25 000.
   */
  readonly heartbeatMs: number = 25_000;

  /**
   * `authenticate` must settle within this time, in milliseconds, or the upgrade is refused with 503; a refresh of
   * credentials is answered with `unavailable`. Default 5 000.
   */
  readonly authenticateTimeoutMs: number = 5_000;
  /**
   * `@OnLoopConnect`, the default subscriptions and the stores must be done within this time, in milliseconds, or the
   * connection is closed with 1013. For so long a client that resumes may take to say where it was. Default 10 000.
   */
  readonly connectTimeoutMs: number = 10_000;
  /** Upgrades that may wait for `authenticate` at once; more are refused with 503. Default 1 000. */
  readonly maxPendingUpgrades: number = 1_000;
  /** Upgrades admitted per second, averaged; more are refused with 503. Default 500. */
  readonly upgradesPerSecond: number = 500;
  /** Upgrades admitted at once before `upgradesPerSecond` applies. Default 2 000. */
  readonly upgradeBurst: number = 2_000;
  /**
   * `Retry-After` of a 429 or 503 refusal, in milliseconds, spread by up to half either way and rounded up to whole
   * seconds. Default 2 000.
   */
  readonly retryAfterMs: number = 2_000;
  /** An upgrade of a path that no listener of the server takes is answered with 404 after this time, in milliseconds. Default 2 000. */
  readonly strayUpgradeTimeoutMs: number = 2_000;
  /** Connections of this server; more are refused with 503. Default 100 000. */
  readonly maxConnections: number = 100_000;
  /** Connections of one account on this server; more are refused with 429. Default 1 000. */
  readonly maxConnectionsPerAccount: number = 1_000;
  /** Longest account or connection id, in characters. At least 36: the length of a random id. Default 128. */
  readonly maxIdLength: number = 128;

  /** Longest inbound message, in bytes, at least 256; a longer one closes the connection with 1009. Default 65 536. */
  readonly maxPayload: number = 65_536;
  /** Fragments of one inbound message; more close the connection with 1008. Default 64. */
  readonly maxFragments: number = 64;
  /** Deepest nesting of an inbound frame, 1 to 1 000; a deeper one is answered with `too_deep`. Default 32. */
  readonly maxDepth: number = 32;
  /**
   * Inbound frames per second of one connection, averaged, WebSocket pings and pongs included; more are answered with
   * `rate_limited`. Default 100.
   */
  readonly framesPerSecond: number = 100;
  /** Inbound frames that one connection may send at once before `framesPerSecond` applies. Default 500. */
  readonly frameBurst: number = 500;
  /** Refused frames per minute, averaged, after which a connection is closed with 4429 or 4500. Default 30. */
  readonly refusalsPerMinute: number = 30;

  /** Frames of one connection that are handled at once. 1 keeps them strictly one after another. Default 1. */
  readonly handlersInFlight: number = 1;
  /** Frames of one connection that may wait for a handler; past it the socket is not read until half are done. Default 64. */
  readonly maxQueuedFrames: number = 64;
  /**
   * An event, a subscription or a refresh of credentials must be dealt with within this time, in milliseconds, or its
   * frame is answered with `timeout`. A handler that takes longer runs on; a replay, and credentials that were taken but
   * not reviewed, close the connection with 1013, and its client goes on where it was. Default 30 000.
   */
  readonly handlerTimeoutMs: number = 30_000;
  /** Complaints of a schema that one error frame lists; 0 lists none. Default 20. */
  readonly maxIssues: number = 20;

  /** Patterns that one connection may hold. Default 200. */
  readonly maxSubscriptions: number = 200;
  /** Rooms that one connection may be in. Default 200. */
  readonly maxRooms: number = 200;

  /**
   * Bytes that may wait for one reader, at least 1 024 and at least `maxEventBytes`; past it the connection is closed
   * with 4413. Default 1 048 576.
   */
  readonly maxQueueBytes: number = 1_048_576;
  /**
   * Longest pushed event or answer, in bytes of its frame, at least 1 024; a longer event is refused to its publisher, a
   * longer answer becomes the error `internal`. Default 262 144.
   */
  readonly maxEventBytes: number = 262_144;
  /** A push without a `ttlMs` of its own that waited longer for a slow reader, in milliseconds, is dropped. Default 30 000. */
  readonly pushTtlMs: number = 30_000;
  /** How long a push `id` is remembered, in milliseconds. Default 60 000. */
  readonly idempotencyWindowMs: number = 60_000;
  /** How many push ids are remembered; the oldest are forgotten first. Default 10 000. */
  readonly idempotencyMaxIds: number = 10_000;
  /**
   * How often each history is compared with what was delivered of it, in milliseconds, so that a last event that was lost
   * on the way is found although none follows. Default 600 000.
   */
  readonly historyCheckMs: number = 600_000;
  /** Other servers must answer within this time, in milliseconds, or the result says that it is not known. Default 1 000. */
  readonly receiptTimeoutMs: number = 1_000;
  /** Questions that may be open on one connection; more fail with `send_failed`. Default 100. */
  readonly maxOpenAsks: number = 100;

  /** An account that is back within this time, in milliseconds, was never offline. May be 0. Default 3 000. */
  readonly presenceGraceMs: number = 3_000;

  /**
   * Each process tells Redis this often, in milliseconds, that it is alive, and proves that its own messages come back.
   * Default 1 000.
   */
  readonly serverBeatMs: number = 1_000;
  /**
   * A server that was silent for this long, in milliseconds by the clock of Redis, is dead: its connections are
   * removed. At least three times `serverBeatMs`. Default 6 500.
   */
  readonly serverTimeoutMs: number = 6_500;
  /** At boot Redis must be reached within this time, in milliseconds. Default 10 000. */
  readonly redisConnectTimeoutMs: number = 10_000;
  /** A command that Redis did not answer within this time, in milliseconds, has failed. Default 2 000. */
  readonly redisCommandTimeoutMs: number = 2_000;
  /**
   * The first wait before a reconnection to Redis is random up to this, in milliseconds; the bound doubles with each
   * attempt. Default 100.
   */
  readonly redisReconnectBaseMs: number = 100;
  /** The longest wait before a reconnection to Redis, in milliseconds. Default 5 000. */
  readonly redisReconnectCapMs: number = 5_000;
  /**
   * How often a Redis Cluster is asked which server keeps what, in milliseconds; it is asked at once when a server has
   * said that something moved. Default 2 000.
   */
  readonly redisSlotsRefreshMs: number = 2_000;
  /**
   * While a process publishes 16 messages per millisecond or more, they leave for Redis about this often, in milliseconds, in
   * fewer and larger pieces, which takes all sides a fraction of the CPU. Fewer leave at the end of the turn of the event
   * loop, as all do when this is 0. At most 1 000 and half of `receiptTimeoutMs`. Default 1.
   */
  readonly redisGatherMs: number = 1;
  /**
   * Messages and queries of the application that may wait for Redis, at least 2 048; more fail with `backpressure`.
   * Default 10 000.
   */
  readonly redisMaxInFlight: number = 10_000;
  /** Bytes of these; more fail with `backpressure`. Default 16 777 216. */
  readonly redisMaxInFlightBytes: number = 16_777_216;
  /** Redis must confirm a topic within this time, in milliseconds; an outage that is shorter is waited for. Default 5 000. */
  readonly attachTimeoutMs: number = 5_000;
  /**
   * A topic stays attached for this long, in milliseconds, after its last receiver left, which absorbs reconnections.
   * May be 0. Default 10 000.
   */
  readonly topicLingerMs: number = 10_000;
  /**
   * In how many parts accounts and channels are divided, 1 to 1 024; the same for every process on one namespace.
   * Default 64.
   */
  readonly redisPartitions: number = 64;

  /** On shutdown the connections are closed spread over this time, in milliseconds. May be 0. Default 5 000. */
  readonly drainMs: number = 5_000;
  /** On shutdown clients are told to come back after a random time up to this, in milliseconds. May be 0. Default 5 000. */
  readonly reconnectSpreadMs: number = 5_000;
  /** A peer must answer a close frame within this time, in milliseconds, or its socket is cut. Default 3 000. */
  readonly closeTimeoutMs: number = 3_000;
  /**
   * After the drain, handlers, hooks and stores get at most this long, in milliseconds, until the shutdown goes on
   * without them. Default 20 000.
   */
  readonly shutdownTimeoutMs: number = 20_000;

  /** Warnings and errors that peers can cause are logged once per kind in this time, in milliseconds. Default 10 000. */
  readonly logSampleMs: number = 10_000;

  /** Negotiate permessage-deflate. Costs memory and CPU per connection, and frames are no longer shared. Default false. */
  readonly compression: boolean = false;
}

/** What may be passed as `config`: a field that is absent or `undefined` keeps its default. */
export type LoopWsConfigChanges = {
  readonly [Field in keyof LoopWsConfig]?: LoopWsConfig[Field] | undefined;
};

type Numbers = Partial<Readonly<Record<string, number>>>;

/** A day: the sum of several timings is still one that a timer can hold, see `MAX_TIMER_MS`. */
const MOST_MS = 24 * 60 * 60 * 1_000;

/** Sets and maps hold 16.7 million entries. */
const MOST = 10_000_000;

/** The longest text that the engine can make has 536 870 888 characters. */
const MOST_BYTES = 500_000_000;

const MOST_BY_FIELD: Numbers = {
  maxPayload: MOST_BYTES,
  maxQueueBytes: MOST_BYTES,
  maxEventBytes: MOST_BYTES,
  redisMaxInFlightBytes: MOST_BYTES,
  redisGatherMs: 1_000,
  redisPartitions: 1_024,
  maxDepth: 1_000, // writing JSON is recursive, and so is most code that walks a payload
};

const LEAST_BY_FIELD: Numbers = {
  heartbeatMs: 32, // its slots are a millisecond each then
  maxIdLength: 36, // a connection without an id gets a UUID
  maxPayload: 256, // a subscription to the longest pattern
  maxQueueBytes: 1_024, // any error frame that says what is wrong
  maxEventBytes: 1_024,
  maxIssues: 0,
  presenceGraceMs: 0,
  redisMaxInFlight: 2_048, // a query for each partition at once, twice
  redisGatherMs: 0,
  topicLingerMs: 0,
  drainMs: 0,
  reconnectSpreadMs: 0,
};

/** Fills in the defaults and freezes the whole. Throws a {@link LoopWsBootError} for an unknown or impossible value. */
export function resolveConfig(changes: unknown = {}): LoopWsConfig {
  if (!isFields(changes)) {
    throw wrongOption('config', changes, 'an object of fields such as { heartbeatMs: 25_000 }');
  }
  const defaults = new LoopWsConfig();
  Object.keys(changes).forEach((field) => requireField(field, defaults));
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  for (const [field, value] of given) {
    checkField(field, value, typeof defaults[field as keyof LoopWsConfig]);
  }
  const config = Object.freeze(Object.assign(defaults, Object.fromEntries(given)));
  checkTogether(config);
  return config;
}

function requireField(field: string, defaults: LoopWsConfig): void {
  if (Object.hasOwn(defaults, field)) return;
  throw new LoopWsBootError(
    `LoopWs: unknown option "config.${field}". The fields are ${Object.keys(defaults).join(', ')}.`,
  );
}

function checkField(field: string, value: unknown, type: string): void {
  if (type === 'boolean') {
    if (typeof value !== 'boolean') throw wrongOption(`config.${field}`, value, 'true or false');
    return;
  }
  const least = LEAST_BY_FIELD[field] ?? 1;
  const most = MOST_BY_FIELD[field] ?? (field.endsWith('Ms') ? MOST_MS : MOST);
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw wrongOption(`config.${field}`, value, `a whole number from ${least} to ${most}`);
  }
}

function checkTogether(config: LoopWsConfig): void {
  const { maxEventBytes, maxQueueBytes, serverBeatMs, serverTimeoutMs } = config;
  const { receiptTimeoutMs, redisGatherMs } = config;
  if (redisGatherMs > Math.max(1, receiptTimeoutMs / 2)) {
    throw new LoopWsBootError(
      `LoopWs: "config.redisGatherMs" (${redisGatherMs}) is above half of "config.receiptTimeoutMs" (${receiptTimeoutMs}), ` +
        'so the results of pushes that gather would be unknown. Lower the one or raise the other.',
    );
  }
  if (serverTimeoutMs < 3 * serverBeatMs) {
    throw new LoopWsBootError(
      `LoopWs: "config.serverTimeoutMs" (${serverTimeoutMs}) is below three times "config.serverBeatMs" (${serverBeatMs}), ` +
        'so a server that is merely busy would be taken for dead. Raise the one or lower the other.',
    );
  }
  if (maxEventBytes > maxQueueBytes) {
    throw new LoopWsBootError(
      `LoopWs: "config.maxEventBytes" (${maxEventBytes}) is above "config.maxQueueBytes" (${maxQueueBytes}), so the ` +
        'longest event would close every reader. Raise maxQueueBytes or lower maxEventBytes.',
    );
  }
}
