import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { fullJitter } from '../util/full-jitter.js';
import type { RedisDriver } from './driver.js';
import type { RedisClient, RedisSource } from './redis.options.js';

/**
 * The two connections of a process: one for commands, one that is subscribed. Neither is connected yet. The library's
 * own queueing, resending and resubscribing are off, because each of them loses, repeats or delays messages without
 * a word; `RedisLink` and `ChannelSubscriber` do it instead.
 */
export async function createClients(
  source: RedisSource,
  config: LoopWsConfig,
): Promise<{ commands: RedisDriver; subscriber: RedisDriver }> {
  const options = {
    keyPrefix: '',
    lazyConnect: true,
    maxRetriesPerRequest: null,
    enableReadyCheck: true,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    readOnly: false,
    connectTimeout: config.redisCommandTimeoutMs,
    commandTimeout: config.redisCommandTimeoutMs,
    retryStrategy: (attempt: number) => backoff(attempt, config),
    sentinelRetryStrategy: (attempt: number) => backoff(attempt, config),
    reconnectOnError: ({ message }: Error) => /^(?:READONLY|LOADING|MASTERDOWN)/.test(message),
  };
  const create = await factoryFor(source);
  return { commands: create(options), subscriber: create(options) };
}

function backoff(attempt: number, config: LoopWsConfig): number {
  return fullJitter(attempt - 1, config.redisReconnectBaseMs, config.redisReconnectCapMs);
}

type Factory = (options: object) => RedisDriver;

async function factoryFor(source: RedisSource): Promise<Factory> {
  if (isClient(source)) return (options) => source.duplicate(options) as RedisDriver;
  const Redis = await importRedis();
  if (typeof source === 'string') return (options) => new Redis(source, options);
  return (options) => new Redis({ ...source, ...options });
}

type RedisConstructor = new (...args: (string | object)[]) => RedisDriver;

/** Only here, and only when it is needed: an application without Redis does not have to install it. */
async function importRedis(): Promise<RedisConstructor> {
  try {
    const { Redis } = await import('ioredis');
    return Redis;
  } catch (cause) {
    throw new LoopWsBootError(
      'LoopWs: option "redis" needs the package ioredis, which could not be loaded. Install it: npm install ioredis.',
      { cause },
    );
  }
}

export function isClient(source: unknown): source is RedisClient {
  return typeof (source as Partial<RedisClient> | null)?.duplicate === 'function';
}
