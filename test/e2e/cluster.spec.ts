import type { Provider } from '@nestjs/common';
import {
  ConnectionRegistry,
  type LoopConnection,
  OnLoopConnect,
  PresenceStore,
} from '../../lib/index.js';
import { MemoryCluster } from '../../lib/testing/index.js';
import { edgeLog } from '../support/edge-log.js';
import { deferred, eventually } from '../support/eventually.js';
import {
  closeLoopApps,
  type LoopApp,
  type LoopAppOptions,
  startLoopApp,
} from '../support/loop-app.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';

afterEach(closeLoopApps);

const edges: string[] = [];

/** What joins the servers of one test: options for each of them, asked for once per server. */
type Join = () => Promise<() => LoopAppOptions>;

const JOINS: Readonly<Record<string, Join>> = {
  memory: async () => {
    const cluster = new MemoryCluster();
    return () => ({ transport: cluster.transport(), presence: cluster.presence() });
  },
  Redis: async () => {
    await redis.command('FLUSHALL');
    return () => ({ redis: redis.url });
  },
  'a Redis Cluster': async () => {
    await redisCluster.flush();
    return () => ({ redis: redisCluster.options });
  },
};

let redis: RedisServer;
let redisCluster: RedisCluster;
beforeAll(async () => {
  redis = await startRedis();
  redisCluster = await startRedisCluster(3, false);
}, 30_000);
afterAll(endRedisServers);

describe.each(Object.entries(JOINS))('several servers joined by %s', (_name, join) => {
  async function startCluster(
    size: number,
    { config, ...options }: LoopAppOptions = {},
    providers: readonly Provider[] = [],
  ): Promise<LoopApp[]> {
    edges.length = 0;
    const joined = await join();
    return Promise.all(
      Array.from({ length: size }, (_, index) =>
        startLoopApp({
          providers: [edgeLog(edges), ...providers],
          options: {
            serverId: `server-${index}`,
            ...joined(),
            ...options,
            config: { topicLingerMs: 0, ...config },
          },
        }),
      ),
    );
  }

  it('P5: push from any server to a connection, an account, a room and a channel on any other', async () => {
    const [a, b, c] = (await startCluster(3)) as [LoopApp, LoopApp, LoopApp];
    const onB = await b.client('acme', { connectionId: 'b' });
    const onC = await c.client('acme', { connectionId: 'c' });
    await c.get(ConnectionRegistry).get('acme', 'c')!.join('lobby');
    expect(await a.bus.pushToConnection('acme', 'b', 'chat:n', 1)).toBe('delivered');
    expect(await a.bus.pushToAccount('acme', 'chat:n', 2)).toEqual({
      delivered: 2,
      filtered: 0,
      failed: 0,
      servers: { expected: 3, answered: 3 },
      complete: true,
    });
    expect(await a.bus.pushToRoom('lobby', 'chat:n', 3)).toMatchObject({
      delivered: 1,
      servers: { expected: 2 },
    });
    expect(await a.bus.pushToChannel('chat:n', 4)).toMatchObject({ delivered: 2, complete: true });
    const seen = async (one: typeof onB, count: number): Promise<unknown[]> => {
      const events: unknown[] = [];
      while (events.length < count) events.push(await one.next('chat:n'));
      return events;
    };
    expect(await seen(onB, 3)).toEqual([1, 2, 4]);
    expect(await seen(onC, 3)).toEqual([2, 3, 4]);
  });

  it('P5: filtered and not_connected are proven across servers', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    const onB = await b.client('acme', { connectionId: 'b' });
    await onB.unsubscribe('*:*');
    expect(await a.bus.pushToConnection('acme', 'b', 'chat:n', 1)).toBe('filtered');
    expect(await a.bus.pushToConnection('acme', 'zzz', 'chat:n', 1)).toBe('not_connected');
  });

  it('P8: what is pushed to an account reaches a server only while it has one of its connections', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    const expected = async (account: string): Promise<number> =>
      (await a.bus.pushToAccount(account, 'chat:n', 1)).servers.expected;
    expect(await expected('acme')).toBe(1);
    const onB = await b.client('acme');
    expect(await expected('acme')).toBe(2);
    expect(await expected('other')).toBe(1);
    await onB.close();
    await eventually('the topic is detached', async () => (await expected('acme')) === 1);
  });

  it('P8: what is pushed to a room reaches a server only while it has one of its members', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    await b.client('acme', { connectionId: 'phone' });
    const connection = b.get(ConnectionRegistry).get('acme', 'phone')!;
    const expected = async (room: string): Promise<number> =>
      (await a.bus.pushToRoom(room, 'chat:n', 1)).servers.expected;
    expect(await expected('lobby')).toBe(1);
    await connection.join('lobby');
    expect(await expected('lobby')).toBe(2);
    expect(await expected('attic')).toBe(1);
    connection.leave('lobby');
    await eventually('the room is detached', async () => (await expected('lobby')) === 1);
  });

  it('P8: what is pushed to a channel reaches a server only while it has a subscriber to the service', async () => {
    const [a, b] = (await startCluster(2, { defaultSubscriptions: [] })) as [LoopApp, LoopApp];
    const onB = await b.client('acme');
    const expected = async (service: 'chat' | 'billing'): Promise<number> =>
      (await a.bus.pushToChannel(`${service}:n`, 1)).servers.expected;
    expect(await expected('chat')).toBe(1);
    await onB.subscribe('chat:message');
    expect(await expected('chat')).toBe(2);
    expect(await expected('billing')).toBe(1);
    await onB.unsubscribe('chat:message');
    await eventually('the service is detached', async () => (await expected('chat')) === 1);
  });

  it('except leaves out a live connection of another server', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    const onA = await a.client('acme', { connectionId: 'a' });
    await b.client('acme', { connectionId: 'b' });
    const live = b.get(ConnectionRegistry).get('acme', 'b')!;
    expect(await b.bus.pushToAccount('acme', 'chat:n', 1, { except: [live] })).toMatchObject({
      delivered: 1,
      complete: true,
    });
    expect(await onA.next('chat:n')).toBe(1);
    expect(await a.bus.pushToAccount('acme', 'chat:n', 2, { except: [live] })).toMatchObject({
      delivered: 1,
    });
  });

  it('a connection that is named and excepted is filtered, wherever it is', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    await b.client('acme', { connectionId: 'b' });
    const push = (from: LoopApp) =>
      from.bus.pushToConnection('acme', 'b', 'chat:n', 1, { except: ['b'] });
    expect([await push(a), await push(b)]).toEqual(['filtered', 'filtered']);
  });

  it('P2: a repeated id is delivered once on every server', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    const onB = await b.client('acme');
    const first = await a.bus.pushToAccount('acme', 'chat:n', 1, { id: 'p' });
    const again = await a.bus.pushToAccount('acme', 'chat:n', 1, { id: 'p' });
    await a.bus.pushToAccount('acme', 'chat:n', 2, { id: 'q' });
    expect(again).toEqual(first);
    expect([await onB.next('chat:n'), await onB.next('chat:n')]).toEqual([1, 2]);
  });

  it('ask is answered by the server that has the connection', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    const onB = await b.client('acme', { connectionId: 'b' });
    const answer = a.bus.ask('acme', 'b', 'device:status', { n: 1 }, { timeoutMs: 2_000 });
    const question = await onB.nextFrame('a question', (frame) => 'ask' in frame);
    expect(question).toMatchObject({ data: { n: 1 } });
    onB.send({ op: 'answer', ask: (question as { ask: number }).ask, data: 'fine' });
    expect(await answer).toBe('fine');
    const silent = a.bus.ask('acme', 'b', 'device:status', 1, { timeoutMs: 500 });
    await expect(silent).rejects.toMatchObject({ reason: 'timeout' });
    const nobody = a.bus.ask('acme', 'zzz', 'device:status', 1, { timeoutMs: 2_000 });
    await expect(nobody).rejects.toMatchObject({ reason: 'not_connected' });
  });

  it('on observes channel pushes of every server', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    const seen: unknown[] = [];
    b.bus.on('chat:*').subscribe(({ data }) => seen.push(data));
    await eventually('b observes', async () => {
      const report = await a.bus.pushToChannel('chat:n', 0);
      return report.servers.expected === 2;
    });
    await a.bus.pushToChannel('chat:n', 1);
    await b.bus.pushToChannel('chat:n', 2);
    expect(seen.filter((data) => data !== 0)).toEqual([1, 2]);
  });

  it('P7: the same identity on another server replaces the older connection, and only that one', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    const older = await a.client('acme', { connectionId: 'phone' });
    const bystander = await a.client('acme', { connectionId: 'laptop' });
    const newer = await b.client('acme', { connectionId: 'phone' });
    expect((await older.closed).code).toBe(4509);
    await bystander.ask({ op: 'ping' });
    expect(await a.bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
    expect(await newer.next('chat:n')).toBe(1);
  });

  it('P7: an older connection that opens slowly does not replace a newer one on another server', async () => {
    const [arrived, accepted] = [deferred<LoopConnection>(), deferred()];
    let connections = 0;
    class SlowForTheFirst {
      @OnLoopConnect()
      async accept(connection: LoopConnection): Promise<void> {
        if (connections++ > 0) return;
        arrived.resolve(connection);
        await accepted.promise;
      }
    }
    const [a, b] = (await startCluster(2, {}, [SlowForTheFirst])) as [LoopApp, LoopApp];
    const connecting = a.client('acme', { connectionId: 'phone' });
    const opening = await arrived.promise;
    await eventually('it is older by more than a message takes', () => opening.ageMs > 1_000);
    const newer = await b.client('acme', { connectionId: 'phone' });
    accepted.resolve();
    const older = await connecting;
    expect((await older.closed).code).toBe(4509);
    expect(await a.bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
    expect(await newer.next('chat:n')).toBe(1);
  });

  it('disconnect closes the account everywhere', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    const [onA, onB] = [await a.client('acme'), await b.client('acme')];
    expect(await a.bus.disconnect('acme')).toEqual({ closed: 2, complete: true });
    expect([(await onA.closed).code, (await onB.closed).code]).toEqual([4503, 4503]);
  });

  it('P7: an account is online from its first connection to its last, on whatever servers, each edge once', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    const onA = await a.client('acme', { connectionId: 'a' });
    const onB = await b.client('acme', { connectionId: 'b' });
    const present = await a.get(PresenceStore).connectionsOf('acme');
    expect(new Set(present)).toEqual(
      new Set([
        { accountId: 'acme', connectionId: 'a', serverId: 'server-0' },
        { accountId: 'acme', connectionId: 'b', serverId: 'server-1' },
      ]),
    );
    await onA.close();
    await onB.close();
    await eventually('the account is offline', () => edges.includes('-acme'));
    expect(edges).toEqual(['+acme', '-acme']);
  });

  it('P7: coming back on another server within the grace shows no edge, though the first server is gone', async () => {
    const [a, b] = (await startCluster(2, { config: { presenceGraceMs: 60_000 } })) as [
      LoopApp,
      LoopApp,
    ];
    await a.client('acme');
    await a.close();
    expect(await b.get(PresenceStore).isOnline('acme')).toBe(false);
    await b.client('acme');
    expect(edges).toEqual(['+acme']);
  });
});
