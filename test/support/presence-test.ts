import { closePresenceNodes } from './presence-node.js';
import { endRedisServers, type RedisServer, startRedis } from './redis-server.js';
import { closeProxies } from './tcp-proxy.js';

export interface PresenceTest {
  /** Presence edges that the nodes of the running test reported, in order. */
  readonly edges: string[];
  /** A Redis of the running test. */
  readonly redis: () => RedisServer;
}

/** Call it once per file: each test gets an empty Redis, and what it starts is ended after it. */
export function presenceTest(): PresenceTest {
  const edges: string[] = [];
  let redis: RedisServer;

  beforeEach(async () => {
    edges.length = 0;
    redis = await startRedis();
  });

  afterEach(async () => {
    await closePresenceNodes();
    closeProxies();
    endRedisServers();
  });

  return { edges, redis: () => redis };
}
