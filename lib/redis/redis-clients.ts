import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { ClusterTopology } from './cluster-topology.js';
import type { ClusterDriver, RedisDriver } from './driver.js';
import type { RedisClient, RedisClusterOptions, RedisSource } from './redis.options.js';
import { SingleServer, type Topology } from './topology.js';

/**
 * Creates the topology for a source. The queueing, resending and resubscribing of ioredis are off, because each of them
 * silently loses, repeats or delays messages; `RedisLink` and `ChannelSubscriber` take over instead.
 */
export async function createTopology(
  source: RedisSource,
  config: LoopWsConfig,
  logger: SampledLogger,
): Promise<Topology> {
  const options = connectionOptions(config);
  if (isCluster(source)) {
    const cluster = await createCluster(source, config);
    return new ClusterTopology(cluster, options, config, logger);
  }
  const create = await factoryFor(source);
  return new SingleServer(() => create(options));
}

function connectionOptions(config: LoopWsConfig): object {
  return {
    keyPrefix: '',
    lazyConnect: true,
    maxRetriesPerRequest: 0, // commands in flight fail together with their connection
    enableReadyCheck: true,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    readOnly: false,
    connectTimeout: config.redisCommandTimeoutMs,
    commandTimeout: config.redisCommandTimeoutMs,
    sentinelCommandTimeout: config.redisCommandTimeoutMs,
    retryStrategy: (attempt: number) => backoff(attempt, config),
    sentinelRetryStrategy: (attempt: number) => backoff(attempt, config),
    reconnectOnError: ({ message }: Error) => /^(?:READONLY|LOADING|MASTERDOWN)/.test(message),
  };
}

/** No command goes through this client, so it does not matter how it handles them. */
async function createCluster(
  source: RedisClusterOptions | RedisClient,
  config: LoopWsConfig,
): Promise<ClusterDriver> {
  const own = {
    lazyConnect: true,
    enableReadyCheck: true,
    shardedSubscribers: false,
    slotsRefreshInterval: 0, // its timer outlives a client that is closed during a refresh
    slotsRefreshTimeout: config.redisCommandTimeoutMs,
    clusterRetryStrategy: (attempt: number) => backoff(attempt, config),
    clusterNodeRetryStrategy: null,
  };
  const connection = { connectTimeout: config.redisCommandTimeoutMs, keyPrefix: '' };
  if (isClient(source)) {
    const cluster = source as unknown as ClusterDriver;
    return cluster.duplicate([], { ...own, redisOptions: connection });
  }
  const { Cluster } = await importRedis();
  const { nodes, redisOptions, ...rest } = source;
  return new Cluster(nodes, { ...rest, ...own, redisOptions: { ...redisOptions, ...connection } });
}

/** ioredis counts attempts from 1. */
function backoff(
  attempt: number,
  { redisReconnectBaseMs: baseMs, redisReconnectCapMs: capMs }: LoopWsConfig,
): number {
  return fullJitterMs(attempt - 1, { baseMs, capMs });
}

type Factory = (options: object) => RedisDriver;

async function factoryFor(source: RedisSource): Promise<Factory> {
  if (isClient(source)) return (options) => source.duplicate(options) as RedisDriver;
  const { Redis } = await importRedis();
  if (typeof source === 'string') return (options) => new Redis(source, options);
  return (options) => new Redis({ ...source, ...options });
}

interface Library {
  readonly Redis: new (...args: (string | object)[]) => RedisDriver;
  readonly Cluster: new (nodes: RedisClusterOptions['nodes'], options: object) => ClusterDriver;
}

/** Imports ioredis only when it is needed: an application without Redis does not have to install it. */
async function importRedis(): Promise<Library> {
  try {
    return (await import('ioredis')) as unknown as Library;
  } catch (cause) {
    throw new LoopWsBootError(
      'LoopWs: option "redis" needs the package ioredis, which could not be loaded. Install it: npm install ioredis.',
      { cause },
    );
  }
}

function isClient(source: unknown): source is RedisClient {
  return typeof (source as Partial<RedisClient> | null)?.duplicate === 'function';
}

function isCluster(source: RedisSource): source is RedisClusterOptions | RedisClient {
  if (typeof source === 'string') return false;
  return isClient(source)
    ? (source as { isCluster?: boolean }).isCluster === true
    : source['nodes'] !== undefined;
}
