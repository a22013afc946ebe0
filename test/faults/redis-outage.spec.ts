import { jest } from '@jest/globals';
import { PresenceStore } from '../../lib/index.js';
import { SampledLogger } from '../../lib/util/sampled-logger.js';
import { eventually } from '../support/eventually.js';
import { faultTest, healed, isWhole } from '../support/fault-test.js';
import type { LoopApp, LoopAppOptions } from '../support/loop-app.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** However busy the machine, no server is taken for dead while a test is in the middle of its fault. */
const PATIENT = { config: { serverTimeoutMs: 20_000 } };

const { edges, startServer: startServerOn } = faultTest();
let redis: RedisServer;

beforeEach(async () => {
  redis = await startRedis();
});

function startServer(serverId: string, options?: LoopAppOptions): Promise<LoopApp> {
  return startServerOn(serverId, options?.redis ?? redis.url, options);
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

  it('P5: what is under way when its connection is lost is unknown at once, and not after a timeout', async () => {
    const proxy = await TcpProxy.start(redis.port);
    const config = { redisCommandTimeoutMs: 60_000 };
    const a = await startServer('a', { redis: `redis://127.0.0.1:${proxy.port}`, config });
    const b = await startServer('b');
    await b.client('acme', { connectionId: 'b' });
    await healed(a, 'b');
    proxy.blackHole();
    const pushed = a.bus.pushToAccount('acme', 'chat:n', 'under way');
    await new Promise(setImmediate);
    proxy.heal();
    proxy.cut();
    expect(await pushed).toMatchObject({ complete: false, why: 'unavailable' });
    await healed(a, 'b');
  });

  it('P5: a server that cannot hear is unknown, never not_connected', async () => {
    const a = await startServer('a', PATIENT);
    const proxy = await TcpProxy.start(redis.port);
    const b = await startServer('b', {
      redis: `redis://127.0.0.1:${proxy.port}`,
      ...PATIENT,
    });
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
    const a = await startServer('a', PATIENT);
    const proxy = await TcpProxy.start(redis.port);
    const b = await startServer('b', {
      redis: `redis://127.0.0.1:${proxy.port}`,
      ...PATIENT,
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

  it('P5: a connection that opens in a short outage is opened after it', async () => {
    const a = await startServer('a');
    await redis.kill();
    await eventually('the outage is noticed', async () => !(await isWhole(a)));
    const opening = a.client('late', { connectionId: 'l' });
    await redis.start();
    await opening;
    expect(await a.get(PresenceStore).isOnline('late')).toBe(true);
  });

  it('P3: server code that begins to observe a history in an outage hears it when Redis is back', async () => {
    const services = { chat: { history: { size: 50, ttlMs: 600_000 } } };
    const publisher = await startServer('publisher', { services });
    const config = { attachTimeoutMs: 100 };
    const server = await startServer('server', { services, config });
    await redis.kill();
    await eventually('the outage is noticed', async () => !(await isWhole(server)));
    const warned = jest.spyOn(SampledLogger.prototype, 'warn');
    const seen: unknown[] = [];
    server.bus.on('chat:*').subscribe(({ data }) => seen.push(data));
    await eventually('it could not be attached', () =>
      warned.mock.calls.some(([kind]) => kind === 'attach chat:*'),
    );
    warned.mockRestore();
    await redis.start();
    await eventually('a push is observed', async () => {
      const { complete } = await publisher.bus.pushToChannel('chat:n', 'hear');
      return complete && seen.length > 0;
    });
    seen.length = 0;
    await publisher.bus.pushToChannel('chat:n', 'hear again');
    expect(seen).toEqual(['hear again']);
  });

  it('an older connection of the same identity is closed, also when its server cannot hear of it at first', async () => {
    const a = await startServer('a', PATIENT);
    const proxy = await TcpProxy.start(redis.port);
    const b = await startServer('b', {
      redis: `redis://127.0.0.1:${proxy.port}`,
      ...PATIENT,
    });
    const older = await b.client('acme', { connectionId: 'phone' });
    await healed(a, 'phone');
    proxy.blackHole();
    proxy.cut();
    await eventually('Redis has dropped the subscriptions', async () => {
      const [, count] = await redis.command<[string, number]>('PUBSUB', 'NUMSUB', '{lw}everyone');
      return count === 1;
    });
    const newer = await a.client('acme', { connectionId: 'phone' });
    expect(await isWhole(a)).toBe(false); // nor was the order heard, which went before
    proxy.heal();
    proxy.cut();
    expect((await older.closed).code).toBe(4509);
    await newer.ask({ op: 'ping' });
  });
});
