import { MemoryCluster } from '../../lib/testing/index.js';
import { MemoryTransport } from '../../lib/transport/memory/memory.transport.js';
import { comeBack, dataOf, eventsOf, subscribe } from '../support/durable-client.js';
import {
  closeLoopApps,
  type LoopApp,
  type LoopAppOptions,
  startLoopApp,
} from '../support/loop-app.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';

const SIZE = 10;
const services = { chat: { history: { size: SIZE, ttlMs: 60_000 } }, billing: {} };

let redis: RedisServer;
let redisCluster: RedisCluster;
beforeAll(async () => {
  redis = await startRedis();
  redisCluster = await startRedisCluster(3, false);
}, 60_000);
afterAll(endRedisServers);

/** Where histories are kept: each time empty. */
const STORES: Readonly<Record<string, () => Promise<LoopAppOptions>>> = {
  memory: async () => ({}),
  Redis: async () => {
    await redis.command('FLUSHALL');
    return { redis: redis.url };
  },
  'a cluster in memory': async () => {
    const cluster = new MemoryCluster();
    return { transport: cluster.transport(), presence: cluster.presence() };
  },
  'Redis Cluster': async () => {
    await redisCluster.flush();
    return { redis: redisCluster.options };
  },
};

let server: LoopApp;
afterEach(closeLoopApps);

async function push(...numbers: readonly number[]): Promise<void> {
  for (const n of numbers) await server.bus.pushToAccount('acme', 'chat:n', n);
}

describe.each(Object.entries(STORES))('durable pushes in %s', (_store, emptyStore) => {
  beforeEach(async () => {
    const store = await emptyStore();
    const options = { services, defaultSubscriptions: ['chat:*'] as const, ...store };
    server = await startLoopApp({ options });
  });

  it('P3: who was away gets what was pushed meanwhile, in order and once, and then what follows', async () => {
    const before = await server.client('acme', { connectionId: 'phone' });
    await push(1, 2);
    await before.ask({ op: 'ping' });
    const { pos, topic } = eventsOf(before).at(-1)!;
    expect(topic).toBe('account');
    await before.close();
    await push(3, 4);
    const after = await comeBack(server);
    await push(5);
    expect(eventsOf(after)).toEqual([]);
    expect(await subscribe(after, { account: pos! })).toMatchObject({
      resumed: { account: 3 },
      reset: {},
    });
    await push(6);
    await after.ask({ op: 'ping' });
    expect(dataOf(after)).toEqual([3, 4, 5, 6]);
  });

  it('P3: who has no position goes on from the welcome', async () => {
    await push(1);
    const client = await comeBack(server);
    await push(2);
    await subscribe(client, {});
    await push(3);
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([2, 3]);
  });

  it('P3: what is not kept any more ends in a reset with the position from which it goes on', async () => {
    const before = await server.client('acme', { connectionId: 'phone' });
    const { positions } = before.welcome;
    await before.close();
    await push(...Array.from({ length: 2 * SIZE + 1 }, (_, n) => n));
    const after = await comeBack(server);
    const answer = await subscribe(after, positions!);
    expect(answer.resumed).toEqual({ 'service:chat': 0 });
    expect(Object.keys(answer.reset!)).toEqual(['account']);
    expect(eventsOf(after)).toEqual([]);
    await after.close();
    await push(11);
    const again = await comeBack(server);
    expect(await subscribe(again, answer.reset!)).toMatchObject({ resumed: { account: 1 } });
    expect(dataOf(again)).toEqual([11]);
  });

  it('P3: the position of another account, another topic or nothing at all is worth nothing', async () => {
    const other = await server.client('other', { connectionId: 'x' });
    await server.bus.pushToAccount('other', 'chat:n', 'secret');
    await push(1);
    await other.ask({ op: 'ping' });
    const { pos } = eventsOf(other).at(-1)!;
    for (const account of [pos!, 'nonsense', '']) {
      const client = await comeBack(server);
      expect(await subscribe(client, { account })).toMatchObject({ resumed: {} });
      expect(dataOf(client)).toEqual([]);
      await client.close();
    }
    const client = await comeBack(server);
    const answer = await subscribe(client, { 'room:secret': pos!, 'service:chat': pos! });
    expect(answer).toMatchObject({ resumed: {}, reset: { 'service:chat': expect.any(String) } });
    expect(Object.keys(answer.reset!)).toEqual(['service:chat']);
  });

  it('P3, P6: topics that do not exist are left out of the answer, those too that are named like what objects have', async () => {
    const { positions } = (await server.client('acme', { connectionId: 'phone' })).welcome;
    await push(1);
    const client = await comeBack(server);
    const made = { nowhere: '1.a', toString: '1.a', hasOwnProperty: 'latest', constructor: '' };
    const answer = await subscribe(client, { ...made, account: positions!.account! });
    expect(answer).toMatchObject({ resumed: { account: 1 }, reset: {} });
    expect(Object.keys({ ...answer.resumed, ...answer.reset })).toEqual(['account']);
    expect(dataOf(client)).toEqual([1]);
  });

  it('P3: only what matches is replayed, and only to the connection that is meant', async () => {
    const before = await server.client('acme', { connectionId: 'phone' });
    const { positions } = before.welcome;
    await before.close();
    await server.bus.pushToAccount('acme', 'chat:other', 1);
    await server.bus.pushToConnection('acme', 'tablet', 'chat:n', 2);
    await server.bus.pushToConnection('acme', 'phone', 'chat:n', 3);
    await server.bus.pushToAccount('acme', 'chat:n', 4, { except: ['phone'] });
    const client = await comeBack(server);
    await client.ask({ op: 'unsubscribe', patterns: ['chat:*'] });
    expect(await subscribe(client, positions!, ['chat:n'])).toMatchObject({
      resumed: { account: 1 },
    });
    expect(dataOf(client)).toEqual([3]);
  });

  it('P2: a push that is repeated under its id is kept once, and has the first position', async () => {
    const client = await server.client('acme', { connectionId: 'phone' });
    const first = await server.bus.pushToAccount('acme', 'chat:n', 1, { id: 'one' });
    const second = await server.bus.pushToAccount('acme', 'chat:n', 1, { id: 'one' });
    expect(second.position).toBe(first.position);
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([1]);
  });

  it('the latest value of a service is there for who asks for it', async () => {
    for (const n of [1, 2, 3]) await server.bus.pushToChannel('chat:price', n);
    const client = await server.client('acme', { connectionId: 'phone' });
    expect(await subscribe(client, { 'service:chat': 'latest' })).toMatchObject({
      resumed: { 'service:chat': 1 },
    });
    await server.bus.pushToChannel('chat:price', 4);
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([3, 4]);
  });

  it('P1: durable and other pushes of one publisher arrive in call order', async () => {
    const client = await server.client('acme', { connectionId: 'phone' });
    await client.subscribe('billing:*');
    const pushes = Array.from({ length: 20 }, (_, n) =>
      server.bus.pushToAccount('acme', n % 2 ? 'chat:n' : 'billing:n', n),
    );
    await Promise.all(pushes);
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });
});

class WithoutHistory extends MemoryTransport {
  override readonly history = undefined as never;
}

it('a history that the transport cannot keep stops the boot', async () => {
  const transport = new WithoutHistory(1_000);
  const starting = startLoopApp({ options: { services, transport } });
  await expect(starting).rejects.toThrow(/"services.chat.history" needs a transport that keeps/);
});
