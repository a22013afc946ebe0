import { LoopWsConfig } from './loop-ws.config.js';
import { LoopWsBootError } from './loop-ws.errors.js';
import { invalidOption } from './loop-ws.invalid-option.js';
import { isPlainObject } from './util/plain-object.js';

type Numbers = Partial<Readonly<Record<string, number>>>;

/** One day, so that the sum of several timings still fits a timer; see `MAX_TIMER_MS`. */
const MAX_MS = 24 * 60 * 60 * 1_000;

/** V8 limits a Set or Map to 16.7 million entries. */
const MAX = 10_000_000;

/** The longest string in V8 has 536 870 888 characters. */
const MAX_BYTES = 500_000_000;

const MAX_BY_FIELD: Numbers = {
  maxPayload: MAX_BYTES,
  maxQueueBytes: MAX_BYTES,
  maxEventBytes: MAX_BYTES,
  redisMaxInFlightBytes: MAX_BYTES,
  redisGatherMs: 1_000,
  redisPartitions: 1_024,
  maxDepth: 1_000, // serializing JSON is recursive, as is most code that walks a payload
};

const MIN_BY_FIELD: Numbers = {
  heartbeatMs: 32, // each of its 32 slots then lasts one millisecond
  maxIdLength: 36, // a connection without an id gets a UUID
  maxPayload: 256, // fits a subscription to the longest pattern
  maxQueueBytes: 1_024, // fits any error frame
  maxEventBytes: 1_024,
  maxIssues: 0,
  presenceGraceMs: 0,
  redisMaxInFlight: 2_048, // one query per partition, twice
  redisGatherMs: 0,
  topicLingerMs: 0,
  drainMs: 0,
  reconnectSpreadMs: 0,
};

/**
 * Fills in the defaults and freezes the result. Throws a {@link LoopWsBootError} for an unknown field or an invalid
 * value.
 */
export function resolveConfig(changes: unknown = {}): LoopWsConfig {
  if (!isPlainObject(changes)) {
    throw invalidOption('config', changes, 'an object of fields such as { heartbeatMs: 25_000 }');
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
    if (typeof value !== 'boolean') throw invalidOption(`config.${field}`, value, 'true or false');
    return;
  }
  const min = MIN_BY_FIELD[field] ?? 1;
  const max = MAX_BY_FIELD[field] ?? (field.endsWith('Ms') ? MAX_MS : MAX);
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw invalidOption(`config.${field}`, value, `a whole number from ${min} to ${max}`);
  }
}

function checkTogether(config: LoopWsConfig): void {
  const { maxEventBytes, maxQueueBytes, serverBeatMs, serverTimeoutMs } = config;
  const { receiptTimeoutMs, redisGatherMs } = config;
  if (redisGatherMs > Math.max(1, receiptTimeoutMs / 2)) {
    throw new LoopWsBootError(
      `LoopWs: "config.redisGatherMs" (${redisGatherMs}) is above half of "config.receiptTimeoutMs" ` +
        `(${receiptTimeoutMs}), so the results of gathered pushes would be unknown. Lower the first or raise the ` +
        'second.',
    );
  }
  if (serverTimeoutMs < 3 * serverBeatMs) {
    throw new LoopWsBootError(
      `LoopWs: "config.serverTimeoutMs" (${serverTimeoutMs}) is below three times "config.serverBeatMs" ` +
        `(${serverBeatMs}), so a server that is merely busy would be considered dead. Raise the first or lower the ` +
        'second.',
    );
  }
  if (maxEventBytes > maxQueueBytes) {
    throw new LoopWsBootError(
      `LoopWs: "config.maxEventBytes" (${maxEventBytes}) is above "config.maxQueueBytes" (${maxQueueBytes}), so the ` +
        'longest event would close the connection of every reader. Raise maxQueueBytes or lower maxEventBytes.',
    );
  }
}
