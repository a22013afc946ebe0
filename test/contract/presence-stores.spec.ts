import type { PresenceStore } from '../../lib/index.js';
import { MemoryPresenceStore } from '../../lib/presence/memory/memory.presence-store.js';
import { RedisPresenceStore } from '../../lib/presence/redis/redis.presence-store.js';
import {
  type ContractHarness,
  MemoryCluster,
  presenceStoreContract,
} from '../../lib/testing/index.js';
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

const HARNESSES: Readonly<Record<string, ContractHarness<PresenceStore>>> = {
  MemoryPresenceStore: { create: () => new MemoryPresenceStore(), servers: 1 },
  MemoryCluster: {
    create: () => memory.presence(),
    reset: () => {
      memory = new MemoryCluster();
    },
  },
  'RedisPresenceStore on one Redis': {
    create: async () => new RedisPresenceStore(await redisBackbone(redis.url)),
    reset: () => redis.command('FLUSHALL'),
  },
  'RedisPresenceStore on a Redis Cluster': {
    create: async () => new RedisPresenceStore(await redisBackbone(redisCluster.options)),
    reset: () => redisCluster.flush(),
  },
};

describe.each(Object.entries(HARNESSES))(
  'the contract of presence stores: %s',
  (_name, harness) => {
    it.each(presenceStoreContract(harness))('$name', ({ run: expectKept }) => expectKept(), 20_000);
  },
);
