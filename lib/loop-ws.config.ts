import { LoopWsBootError } from './loop-ws.errors.js';
import { MAX_TIMER_MS } from './util/timers.js';

/**
 * Every timing and limit of the module, each with its default. Pass the ones you change as `config`; the resolved
 * object is frozen and injectable: `constructor(config: LoopWsConfig)`.
 */
export class LoopWsConfig {
  /** The server pings each connection this often, in milliseconds; a silent peer is gone after two. Default 25 000. */
  readonly heartbeatMs: number = 25_000;

  /** `authenticate` must settle within this time, in milliseconds, or the upgrade is refused with 503. Default 5 000. */
  readonly authenticateTimeoutMs: number = 5_000;
  /** `@OnLoopConnect` and the default subscriptions must be done within this time, in milliseconds. Default 10 000. */
  readonly connectTimeoutMs: number = 10_000;
  /** Upgrades that may wait for `authenticate` at once; more are refused with 503. Default 1 000. */
  readonly maxPendingUpgrades: number = 1_000;
  /** Upgrades admitted per second, averaged; more are refused with 503. Default 500. */
  readonly upgradesPerSecond: number = 500;
  /** Upgrades admitted at once before `upgradesPerSecond` applies. Default 2 000. */
  readonly upgradeBurst: number = 2_000;
  /** `Retry-After` of a 429 or 503 refusal, in milliseconds, spread by up to half either way. Default 2 000. */
  readonly retryAfterMs: number = 2_000;
  /** An upgrade of a path that no listener of the server takes is answered with 404 after this time, in milliseconds. Default 2 000. */
  readonly strayUpgradeTimeoutMs: number = 2_000;
  /** Connections of this server; more are refused with 503. Default 100 000. */
  readonly maxConnections: number = 100_000;
  /** Connections of one account on this server; more are refused with 429. Default 1 000. */
  readonly maxConnectionsPerAccount: number = 1_000;
  /** Longest account or connection id, in characters. Default 128. */
  readonly maxIdLength: number = 128;

  /** Longest inbound frame, in bytes; a longer one closes the connection with 1009. Default 65 536. */
  readonly maxPayload: number = 65_536;
  /** Fragments of one inbound message; more close the connection with 1008 or 1009. Default 64. */
  readonly maxFragments: number = 64;
  /** Deepest nesting of an inbound frame. Default 32. */
  readonly maxDepth: number = 32;
  /** Inbound frames per second of one connection, averaged, WebSocket pings and pongs included. Default 100. */
  readonly framesPerSecond: number = 100;
  /** Inbound frames that one connection may send at once before `framesPerSecond` applies. Default 500. */
  readonly frameBurst: number = 500;
  /** Refused frames per minute, averaged, after which a connection is closed with 4429 or 4500. Default 30. */
  readonly refusalsPerMinute: number = 30;

  /** Handlers of one connection that run at once. 1 keeps them strictly one after another. Default 1. */
  readonly handlersInFlight: number = 1;
  /** Frames of one connection that may wait for a handler; past it the socket is not read until some are done. Default 64. */
  readonly maxQueuedFrames: number = 64;
  /**
   * An event, a subscription or a refresh of credentials must be dealt with within this time, in milliseconds, or its
   * frame is answered with `timeout`. What runs is not stopped. Default 30 000.
   */
  readonly handlerTimeoutMs: number = 30_000;
  /** Complaints of a schema that one error frame lists. Default 20. */
  readonly maxIssues: number = 20;

  /** Patterns that one connection may hold. Default 200. */
  readonly maxSubscriptions: number = 200;
  /** Rooms that one connection may be in. Default 200. */
  readonly maxRooms: number = 200;

  /** Bytes that may wait for one reader; past it the connection is closed with 4413. Default 1 048 576. */
  readonly maxQueueBytes: number = 1_048_576;
  /** Longest pushed event, in bytes of its frame; a longer one is refused to its publisher. Default 262 144. */
  readonly maxEventBytes: number = 262_144;
  /** A push without history is not delivered later than this, in milliseconds. Default 30 000. */
  readonly pushTtlMs: number = 30_000;
  /** How long a push `id` is remembered, in milliseconds. Default 60 000. */
  readonly idempotencyWindowMs: number = 60_000;
  /** How many push ids are remembered; the oldest are forgotten first. Default 10 000. */
  readonly idempotencyMaxIds: number = 10_000;
  /** Other servers must answer within this time, in milliseconds, or the result says that it is not known. Default 1 000. */
  readonly receiptTimeoutMs: number = 1_000;
  /** Questions that may be open on one connection. Default 100. */
  readonly maxOpenAsks: number = 100;

  /** An account that is back within this time, in milliseconds, was never offline. Default 3 000. */
  readonly presenceGraceMs: number = 3_000;

  /** On shutdown the connections are closed spread over this time, in milliseconds. Default 5 000. */
  readonly drainMs: number = 5_000;
  /** On shutdown clients are told to come back after a random time up to this, in milliseconds. Default 5 000. */
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

const MAY_BE_ZERO: ReadonlySet<string> = new Set([
  'presenceGraceMs',
  'drainMs',
  'reconnectSpreadMs',
]);

/** Fills in the defaults and freezes the whole. Throws a {@link LoopWsBootError} for an unknown or impossible value. */
export function resolveConfig(changes: Partial<LoopWsConfig> = {}): LoopWsConfig {
  const defaults = new LoopWsConfig();
  for (const [field, value] of Object.entries(changes)) {
    if (!Object.hasOwn(defaults, field)) {
      throw new LoopWsBootError(
        `LoopWs: unknown option "config.${field}". The fields are ${Object.keys(defaults).join(', ')}.`,
      );
    }
    checkField(field, value, typeof defaults[field as keyof LoopWsConfig]);
  }
  const config = Object.freeze(Object.assign(defaults, changes));
  checkTogether(config);
  return config;
}

function checkField(field: string, value: unknown, type: string): void {
  if (type === 'boolean') {
    if (typeof value !== 'boolean') throw wrong(field, value, 'true or false');
    return;
  }
  const least = MAY_BE_ZERO.has(field) ? 0 : 1;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > MAX_TIMER_MS) {
    throw wrong(field, value, `a whole number from ${least} to ${MAX_TIMER_MS}`);
  }
}

function checkTogether({ maxEventBytes, maxQueueBytes }: LoopWsConfig): void {
  if (maxEventBytes > maxQueueBytes) {
    throw new LoopWsBootError(
      `LoopWs: "config.maxEventBytes" (${maxEventBytes}) is above "config.maxQueueBytes" (${maxQueueBytes}), so the ` +
        'longest event would close every reader. Raise maxQueueBytes or lower maxEventBytes.',
    );
  }
}

function wrong(field: string, value: unknown, expected: string): LoopWsBootError {
  return new LoopWsBootError(
    `LoopWs: option "config.${field}" is ${JSON.stringify(value)}; it must be ${expected}.`,
  );
}
