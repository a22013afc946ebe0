import {
  MemoryCluster,
  transportContract,
  type TransportHarness,
} from '../../lib/testing/index.js';
import { MemoryTransport } from '../../lib/transport/memory/memory.transport.js';
import { RedisTransport } from '../../lib/transport/redis/redis.transport.js';
import { redisBackbone } from '../support/redis-backbone.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';

let memory: MemoryCluster;
let redis: RedisServer;
let redisCluster: RedisCluster;

beforeAll(async () => {
  redis = await startRedis();
  redisCluster = await startRedisCluster(3, false);
}, 30_000);
afterAll(endRedisServers);

const HARNESSES: Readonly<Record<string, TransportHarness>> = {
  MemoryTransport: { create: () => new MemoryTransport(60_000), servers: 1 },
  MemoryCluster: {
    create: () => memory.transport(),
    reset: () => {
      memory = new MemoryCluster();
    },
  },
  'RedisTransport on one Redis': {
    create: async () => new RedisTransport(await redisBackbone(redis.url)),
    interrupt: () => pauseAll([redis]),
  },
  'RedisTransport on a Redis Cluster': {
    create: async () => new RedisTransport(await redisBackbone(redisCluster.options)),
    interrupt: () => pauseAll(redisCluster.all),
  },
};

async function pauseAll(servers: readonly RedisServer[]): Promise<() => Promise<void>> {
  for (const server of servers) server.pause();
  return async () => {
    for (const server of servers) server.resume();
  };
}

describe.each(Object.entries(HARNESSES))('the contract of transports: %s', (_name, harness) => {
  it.each(transportContract(harness))('$name', ({ run: expectKept }) => expectKept(), 20_000);
});
