import { PresenceStore } from '../../lib/index.js';
import { edgeLog } from '../support/edge-log.js';
import { eventually } from '../support/eventually.js';
import {
  closeLoopApps,
  type LoopApp,
  type LoopAppOptions,
  startLoopApp,
} from '../support/loop-app.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';
import { closeProxies, TcpProxy } from '../support/tcp-proxy.js';

/** Everything fast, so that a fault and its healing fit into a test. */
const QUICK = {
  serverBeatMs: 100,
  serverTimeoutMs: 1_500,
  redisCommandTimeoutMs: 300,
  redisReconnectBaseMs: 20,
  redisReconnectCapMs: 100,
  receiptTimeoutMs: 300,
};

const rejections: unknown[] = [];
const noteRejection = (error: unknown): void => void rejections.push(error);
const edges: string[] = [];
let redis: RedisServer;

beforeEach(async () => {
  edges.length = 0;
  rejections.length = 0;
  process.on('unhandledRejection', noteRejection);
  redis = await startRedis();
});

afterEach(async () => {
  redis.resume();
  await closeLoopApps();
  closeProxies();
  endRedisServers();
  process.off('unhandledRejection', noteRejection);
  if (rejections.length > 0) throw new AggregateError(rejections, 'Rejections that nobody handled');
});

function startServer(serverId: string, options: LoopAppOptions = {}): Promise<LoopApp> {
  const config = { ...QUICK, ...options.config };
  return startLoopApp({
    providers: [edgeLog(edges)],
    options: { redis: redis.url, serverId, ...options, config },
  });
}

async function isWhole(from: LoopApp, account = 'acme'): Promise<boolean> {
  return (await from.bus.pushToAccount(account, 'chat:probe', 0)).complete;
}

/** Pushes until one arrives: the bus has healed by itself. */
async function healed(from: LoopApp, connectionId: string): Promise<void> {
  await eventually('a push crosses servers again', async () => {
    const result = await from.bus.pushToConnection('acme', connectionId, 'chat:probe', 0);
    return result === 'delivered' && isWhole(from);
  });
}

describe('a Redis that fails under a running bus', () => {
  it('P5, P6: killed and back empty: local pushes go on, results are honest, all heals without an edge', async () => {
    const [a, b] = [await startServer('a'), await startServer('b')];
    const onA = await a.client('acme', { connectionId: 'a' });
    await b.client('acme', { connectionId: 'b' });
    await redis.kill();
    await eventually('the outage is noticed', async () => !(await isWhole(a)));
    expect(await a.bus.pushToConnection('acme', 'a', 'chat:n', 'local')).toBe('delivered');
    expect(await a.bus.pushToConnection('acme', 'b', 'chat:n', 1)).toBe('unknown');
    await onA.nextFrame('the local push', (frame) => 'data' in frame && frame.data === 'local');
    await redis.start();
    await healed(a, 'b');
    await healed(b, 'a');
    await eventually('presence is restored', async () => {
      const present = await a.get(PresenceStore).connectionsOf('acme');
      return present.length === 2;
    });
    expect(await b.get(PresenceStore).count()).toEqual({ accounts: 1, connections: 2 });
    expect(edges).toEqual(['+acme']);
  });

  it('P7: flushed while it runs: presence is written again, and a new account is one edge', async () => {
    const [a, b] = [await startServer('a'), await startServer('b')];
    await a.client('acme', { connectionId: 'a' });
    await redis.command('FLUSHALL');
    await b.client('acme', { connectionId: 'b' });
    const late = await b.client('new', { connectionId: 'c' });
    await eventually('everyone is registered', async () => {
      const { accounts, connections } = await a.get(PresenceStore).count();
      return accounts === 2 && connections === 3;
    });
    await late.close();
    await eventually('the new account is offline', () => edges.includes('-new'));
    expect(edges).toEqual(['+acme', '+new', '-new']);
  });

  it('P5: subscribed connections that are cut come back with every topic', async () => {
    const [a, b] = [await startServer('a'), await startServer('b')];
    const onB = await b.client('acme', { connectionId: 'b' });
    for (let cut = 0; cut < 3; cut++) {
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await healed(a, 'b');
    }
    expect(await a.bus.pushToConnection('acme', 'b', 'chat:n', 'last')).toBe('delivered');
    await onB.nextFrame('the last push', (frame) => 'data' in frame && frame.data === 'last');
  });

  it('P5: a server that cannot hear is unknown, never not_connected', async () => {
    const a = await startServer('a');
    const proxy = await TcpProxy.start(redis.port);
    const b = await startServer('b', { redis: `redis://127.0.0.1:${proxy.port}` });
    await b.client('acme', { connectionId: 'b' });
    await healed(a, 'b');
    proxy.blackHole();
    proxy.cut();
    await eventually('Redis has dropped the subscriptions', async () => {
      const [, count] = await redis.command<[string, number]>('PUBSUB', 'NUMSUB', '{lw}everyone');
      return count === 1;
    });
    expect(await a.bus.pushToConnection('acme', 'b', 'chat:n', 1)).toBe('unknown');
    expect(await a.bus.pushToChannel('chat:n', 1)).toMatchObject({ complete: false });
  });

  it('P6: a black hole is noticed by itself, and left when the network is back', async () => {
    const a = await startServer('a');
    const proxy = await TcpProxy.start(redis.port);
    const b = await startServer('b', {
      redis: `redis://127.0.0.1:${proxy.port}`,
      config: { serverTimeoutMs: 20_000 },
    });
    await b.client('acme', { connectionId: 'b' });
    await healed(a, 'b');
    proxy.blackHole();
    expect(await b.bus.pushToConnection('acme', 'b', 'chat:n', 'local')).toBe('delivered');
    await eventually('the dead connection is given up', async () => !(await isWhole(b)));
    proxy.heal();
    await healed(a, 'b');
    await healed(b, 'b');
  });

  it('P4, P6: paused: nobody waits for it, and what is too late is not delivered when it wakes', async () => {
    const [a, b] = [await startServer('a'), await startServer('b')];
    const onB = await b.client('acme', { connectionId: 'b' });
    await healed(a, 'b');
    redis.pause();
    const stale = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        a.bus.pushToConnection('acme', 'b', 'chat:n', `stale ${n}`, { ttlMs: 50 }),
      ),
    );
    expect(new Set(stale)).toEqual(new Set(['unknown']));
    redis.resume();
    await healed(a, 'b');
    expect(await a.bus.pushToConnection('acme', 'b', 'chat:n', 'fresh')).toBe('delivered');
    const frame = await onB.nextFrame('chat:n', (one) => 'event' in one && one.event === 'chat:n');
    expect(frame).toMatchObject({ data: 'fresh' });
  });

  it('P6: more than may wait for Redis fails at once and is not complete', async () => {
    const a = await startServer('a', { config: { redisMaxInFlight: 2_048 } });
    redis.pause();
    const pushes = Array.from({ length: 4_000 }, () =>
      a.bus.pushToConnection('x', 'y', 'chat:n', 1),
    );
    expect(new Set(await Promise.all(pushes))).toEqual(new Set(['unknown']));
  });

  it('P5: a connection that opens in a short outage is opened after it', async () => {
    const a = await startServer('a');
    await redis.kill();
    await eventually('the outage is noticed', async () => !(await isWhole(a)));
    const opening = a.client('late', { connectionId: 'l' });
    await redis.start();
    await opening;
    expect(await a.get(PresenceStore).isOnline('late')).toBe(true);
  });
});
