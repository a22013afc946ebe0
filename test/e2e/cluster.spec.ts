import {
  ConnectionRegistry,
  LoopTransport,
  LoopTransportError,
  PresenceStore,
  type TransportReceipt,
} from '../../lib/index.js';
import { MemoryCluster } from '../../lib/testing/index.js';
import { edgeLog } from '../support/edge-log.js';
import { eventually } from '../support/eventually.js';
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
    config: { presenceGraceMs?: number } = {},
  ): Promise<LoopApp[]> {
    edges.length = 0;
    const joined = await join();
    return Promise.all(
      Array.from({ length: size }, (_, index) =>
        startLoopApp({
          providers: [edgeLog(edges)],
          options: {
            serverId: `server-${index}`,
            ...joined(),
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

  it('P8: a server gets only what it has a receiver for, and nothing once the last one left', async () => {
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
    const silent = a.bus.ask('acme', 'b', 'device:status', 1, { timeoutMs: 30 });
    await expect(silent).rejects.toMatchObject({ reason: 'timeout' });
    const nobody = a.bus.ask('acme', 'zzz', 'device:status', 1, { timeoutMs: 30 });
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

  it('the same identity on another server replaces the older connection, and only that one', async () => {
    const [a, b] = (await startCluster(2)) as [LoopApp, LoopApp];
    const older = await a.client('acme', { connectionId: 'phone' });
    const bystander = await a.client('acme', { connectionId: 'laptop' });
    const newer = await b.client('acme', { connectionId: 'phone' });
    expect((await older.closed).code).toBe(4509);
    await bystander.ask({ op: 'ping' });
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
    const [a, b] = (await startCluster(2, { presenceGraceMs: 60_000 })) as [LoopApp, LoopApp];
    await a.client('acme');
    await a.close();
    expect(await b.get(PresenceStore).isOnline('acme')).toBe(false);
    await b.client('acme');
    expect(edges).toEqual(['+acme']);
  });
});

describe('a transport that fails', () => {
  abstract class NullTransport extends LoopTransport {
    override readonly isLive = true;
    override async start(): Promise<void> {}
    override async attach(): Promise<void> {}
    override detach(): void {}
    override async close(): Promise<void> {}
  }
  class Rejecting extends NullTransport {
    override async publish(): Promise<TransportReceipt> {
      throw new Error('away');
    }
  }
  class Full extends NullTransport {
    override async publish(): Promise<TransportReceipt> {
      throw new LoopTransportError('backpressure', 'Too much is waiting.');
    }
  }
  class Silent extends NullTransport {
    override publish(): Promise<TransportReceipt> {
      return new Promise(() => {});
    }
  }
  class Partial extends NullTransport {
    override async publish(): Promise<TransportReceipt> {
      return { expected: 2, replies: [{ delivered: 1, filtered: 0, failed: 0 }] };
    }
  }

  it.each([
    ['rejects', new Rejecting(), 'failed'],
    ['has no room', new Full(), 'backpressure'],
    ['never settles', new Silent(), 'timeout'],
  ])(
    'P5, P6: when it %s, local pushes arrive and remote results are unknown',
    async (_what, transport, why) => {
      const { bus, client } = await startLoopApp({
        options: { transport, config: { receiptTimeoutMs: 20 } },
      });
      const one = await client('acme', { connectionId: 'phone' });
      expect(await bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
      const report = bus.pushToAccount('acme', 'chat:n', 2);
      expect(await one.next('chat:n')).toBe(1);
      expect(await one.next('chat:n')).toBe(2);
      expect(await report).toMatchObject({ delivered: 1, complete: false, why });
      expect(await bus.pushToConnection('acme', 'elsewhere', 'chat:n', 3)).toBe('unknown');
      const asked = bus.ask('acme', 'elsewhere', 'chat:n', 1, { timeoutMs: 20 });
      await expect(asked).rejects.toMatchObject({
        reason: 'unknown',
        message: expect.stringContaining('It is unknown whether acme/elsewhere was asked'),
      });
      expect(await bus.disconnect('acme')).toEqual({ closed: 1, complete: false, why });
    },
  );

  it('P5: when a server does not answer, the counts are what is proven and the report is not complete', async () => {
    const { bus } = await startLoopApp({ options: { transport: new Partial() } });
    expect(await bus.pushToAccount('acme', 'chat:n', 1)).toEqual({
      delivered: 1,
      filtered: 0,
      failed: 0,
      servers: { expected: 3, answered: 2 },
      complete: false,
      why: 'unanswered',
    });
  });
});
