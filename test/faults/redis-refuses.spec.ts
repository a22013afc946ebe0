import { Redis } from 'ioredis';
import { eventually } from '../support/eventually.js';
import { faultTest, healed, isWhole } from '../support/fault-test.js';
import type { LoopApp } from '../support/loop-app.js';
import { PushLedger } from '../support/push-ledger.js';
import { freePort, type RedisServer, startRedis } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const { edges, startServer } = faultTest();
const OPTIONS = { services: { chat: {}, kept: { history: { size: 50, ttlMs: 60_000 } } } };

let redis: RedisServer;

beforeEach(async () => {
  redis = await startRedis();
});

describe('a Redis that answers, and refuses', () => {
  it('P5, P6: out of memory: a durable push is neither kept nor delivered, and its report says so; others go on', async () => {
    const [a, b] = await startServers(redis.url);
    const onB = await b.client('acme', { connectionId: 'b' });
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', 1);
    const refused = await a.bus.pushToAccount('acme', 'kept:n', 'refused');
    expect(refused).toMatchObject({ delivered: 0, complete: false, why: 'failed' });
    expect(refused).not.toHaveProperty('position');
    expect(await b.bus.pushToAccount('acme', 'chat:n', 'local')).toMatchObject({ delivered: 1 });
    expect(await a.bus.pushToAccount('acme', 'chat:n', 'remote')).toMatchObject({ delivered: 1 });
    await redis.command('CONFIG', 'SET', 'maxmemory', 0);
    expect(await a.bus.pushToAccount('acme', 'kept:n', 'kept')).toMatchObject({
      delivered: 1,
      complete: true,
      position: expect.any(String),
    });
    expect(await onB.next('kept:n')).toBe('kept');
    expect(edges).toEqual(['+acme']);
  });

  it('P5, P6: it has become a replica whose master is gone: results are unknown, local pushes arrive, and all heals', async () => {
    const [a, b] = await startServers(redis.url);
    await a.client('acme', { connectionId: 'a' });
    const ledger = new PushLedger(a, 'a', await b.client('acme', { connectionId: 'b' }));
    await redis.command('REPLICAOF', '127.0.0.1', await freePort());
    ledger.pushEvery(5);
    await eventually('nothing gets through', () => ledger.count('unknown') > 20);
    expect(await a.bus.pushToConnection('acme', 'a', 'chat:n', 'local')).toBe('delivered');
    const refused = await a.bus.pushToAccount('acme', 'kept:n', 'refused');
    expect(refused).toMatchObject({ complete: false });
    expect(refused).not.toHaveProperty('position');
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await healed(a, 'b');
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    expect(await a.bus.pushToAccount('acme', 'kept:n', 'kept')).toHaveProperty('position');
    expect(edges).toEqual(['+acme']);
  });

  it('P3, P5: its name leads to the former replica, and no connection is cut: all move there, with every event', async () => {
    const next = await startRedis();
    await redis.command('CONFIG', 'SET', 'repl-diskless-sync-delay', 0);
    await follow(next, redis);
    const proxy = await TcpProxy.start(redis.port);
    const [a, b] = await startServers(`redis://127.0.0.1:${proxy.port}`);
    const onB = await b.client('acme', { connectionId: 'b' });
    await healed(a, 'b');
    await a.bus.pushToAccount('acme', 'kept:n', 'before');
    await caughtUp(next, redis);
    proxy.leadTo(next.port);
    await next.command('REPLICAOF', 'NO', 'ONE');
    await follow(redis, next);
    await eventually('all hear the new master', async () => (await hearing(next)) === 2);
    await healed(a, 'b');
    await a.bus.pushToAccount('acme', 'kept:n', 'after');
    expect([await onB.next('kept:n'), await onB.next('kept:n')]).toEqual(['before', 'after']);
    expect(onB.frames.filter(({ op }) => op === 'reset')).toEqual([]);
    expect(edges).toEqual(['+acme']);
  });

  it('P5, P6: it has no room for more connections: local pushes arrive, and all heals when it has', async () => {
    const [a, b] = await startServers(redis.url);
    await a.client('acme', { connectionId: 'a' });
    const ledger = new PushLedger(a, 'a', await b.client('acme', { connectionId: 'b' }));
    await healed(a, 'b');
    ledger.pushEvery(5);
    const admin = new Redis(redis.port, '127.0.0.1', { retryStrategy: () => null });
    await admin.config('SET', 'maxclients', 1);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually('both are refused', async () => (await rejectedBy(admin)) > 10);
    expect(await a.bus.pushToConnection('acme', 'a', 'chat:n', 'local')).toBe('delivered');
    await admin.config('SET', 'maxclients', 10_000);
    admin.disconnect();
    await healed(a, 'b');
    await healed(b, 'a');
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    expect(ledger.count('unknown')).toBeGreaterThan(0);
    expect(edges).toEqual(['+acme']);
  });
});

async function startServers(url: string): Promise<[LoopApp, LoopApp]> {
  const servers = [await startServer('a', url, OPTIONS), await startServer('b', url, OPTIONS)];
  await eventually('they know each other', () => isWhole(servers[0]!));
  return servers as [LoopApp, LoopApp];
}

/** Resolves when the replica has everything of its master. */
async function follow(replica: RedisServer, master: RedisServer): Promise<void> {
  await replica.command('REPLICAOF', '127.0.0.1', master.port);
  await eventually('it is in sync', async () => {
    const info = await replica.command<string>('INFO', 'replication');
    return info.includes('master_link_status:up');
  });
}

/** Otherwise the replica might lack what the master has confirmed, which ends in a reset. */
async function caughtUp(replica: RedisServer, master: RedisServer): Promise<void> {
  const offsetOf = async (server: RedisServer): Promise<string | undefined> =>
    /^(?:slave|master)_repl_offset:(\d+)/m.exec(await server.command('INFO', 'replication'))?.[1];
  const offset = Number(await offsetOf(master));
  await eventually('it has all writes', async () => Number(await offsetOf(replica)) >= offset);
}

/** How many processes hear everything that is published there. */
async function hearing(server: RedisServer): Promise<number> {
  const [, count] = await server.command<[string, number]>('PUBSUB', 'NUMSUB', '{lw}everyone');
  return count;
}

async function rejectedBy(admin: Redis): Promise<number> {
  return Number(/rejected_connections:(\d+)/.exec(await admin.info('stats'))![1]);
}
