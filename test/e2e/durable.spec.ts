import { jest } from '@jest/globals';
import { ConnectionRegistry } from '../../lib/index.js';
import type { EventFrame, OkFrame, ServerFrame } from '../../lib/protocol/frames.js';
import { type LoopTestClient, MemoryCluster } from '../../lib/testing/index.js';
import { MemoryHistory } from '../../lib/transport/memory/memory-history.js';
import { MemoryLog } from '../../lib/transport/memory/memory-log.js';
import { MemoryTransport } from '../../lib/transport/memory/memory.transport.js';
import { eventually } from '../support/eventually.js';
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

const eventsOf = (client: LoopTestClient): EventFrame[] =>
  client.frames.filter((frame): frame is EventFrame => 'event' in frame);

const dataOf = (client: LoopTestClient): unknown[] => eventsOf(client).map(({ data }) => data);

async function push(...numbers: readonly number[]): Promise<void> {
  for (const n of numbers) await server.bus.pushToAccount('acme', 'chat:n', n);
}

/** As a client that has been here: it gets nothing durable before it has said where it was. */
function comeBack(connectionId = 'phone'): Promise<LoopTestClient> {
  return server.client('acme', { connectionId, query: { resume: '1' } });
}

function subscribe(
  client: LoopTestClient,
  since: Readonly<Record<string, string>>,
  patterns: readonly string[] = ['chat:*'],
): Promise<OkFrame> {
  return client.ask({ op: 'subscribe', patterns, since }) as Promise<OkFrame>;
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
    const after = await comeBack();
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
    const client = await comeBack();
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
    const after = await comeBack();
    const answer = await subscribe(after, positions!);
    expect(answer.resumed).toEqual({ 'service:chat': 0 });
    expect(Object.keys(answer.reset!)).toEqual(['account']);
    expect(eventsOf(after)).toEqual([]);
    await after.close();
    await push(11);
    const again = await comeBack();
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
      const client = await comeBack();
      expect(await subscribe(client, { account })).toMatchObject({ resumed: {} });
      expect(dataOf(client)).toEqual([]);
      await client.close();
    }
    const client = await comeBack();
    const answer = await subscribe(client, { 'room:secret': pos!, 'service:chat': pos! });
    expect(answer).toMatchObject({ resumed: {}, reset: { 'service:chat': expect.any(String) } });
    expect(Object.keys(answer.reset!)).toEqual(['service:chat']);
  });

  it('P3: only what matches is replayed, and only to the connection that is meant', async () => {
    const before = await server.client('acme', { connectionId: 'phone' });
    const { positions } = before.welcome;
    await before.close();
    await server.bus.pushToAccount('acme', 'chat:other', 1);
    await server.bus.pushToConnection('acme', 'tablet', 'chat:n', 2);
    await server.bus.pushToConnection('acme', 'phone', 'chat:n', 3);
    await server.bus.pushToAccount('acme', 'chat:n', 4, { except: ['phone'] });
    const client = await comeBack();
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

it('a client that does not say where it was goes on from the welcome after a while', async () => {
  const config = { connectTimeoutMs: 100 };
  server = await startLoopApp({
    options: { services, defaultSubscriptions: ['chat:*'], config },
  });
  const client = await comeBack();
  await push(1, 2);
  expect(await client.next('chat:n')).toBe(1);
  await push(3);
  await client.ask({ op: 'ping' });
  expect(dataOf(client)).toEqual([1, 2, 3]);
});

it('P3: a client that little is sent to is told where it is, and comes back without a reset', async () => {
  const config = { heartbeatMs: 64 };
  server = await startLoopApp({ options: { services, config } });
  const before = await server.client('acme', { connectionId: 'phone' });
  await before.subscribe('chat:rare');
  await push(...Array.from({ length: 3 * SIZE }, (_, n) => n));
  const { position } = await server.bus.pushToAccount('acme', 'chat:n', 'last');
  const isNews = (frame: ServerFrame): boolean =>
    frame.op === 'positions' && frame.topics.account === position;
  await eventually('it is told', () => before.frames.some(isNews));
  await before.close();
  await server.bus.pushToAccount('acme', 'chat:rare', 'for it');
  const after = await comeBack();
  const answer = await subscribe(after, { account: position! }, ['chat:rare']);
  expect(answer).toMatchObject({ resumed: { account: 1 }, reset: {} });
  expect(dataOf(after)).toEqual(['for it']);
});

it('P3: a client is told from where on it gets a topic that is new to it', async () => {
  server = await startLoopApp({ options: { services, defaultSubscriptions: [] } });
  const before = await server.client('acme', { connectionId: 'phone' });
  const asked = (await before.subscribe('chat:*')) as OkFrame;
  await server.get(ConnectionRegistry).get('acme', 'phone')!.join('lobby');
  const told = await before.nextFrame('positions', ({ op }) => op === 'positions');
  await before.close();
  await server.bus.pushToChannel('chat:n', 1);
  await server.bus.pushToRoom('lobby', 'chat:n', 2);
  const after = await comeBack();
  await server.get(ConnectionRegistry).get('acme', 'phone')!.join('lobby');
  const rooms = told.op === 'positions' ? told.topics : {};
  const answer = await subscribe(after, { ...asked.positions, ...rooms });
  expect(answer.resumed).toEqual({ 'service:chat': 1, 'room:lobby': 1 });
  expect(new Set(dataOf(after))).toEqual(new Set([1, 2]));
});

it('P3: a client with many patterns says where it was with the last of them', async () => {
  server = await startLoopApp({ options: { services, defaultSubscriptions: [] } });
  const before = await server.client('acme', { connectionId: 'phone' });
  const { positions } = before.welcome;
  await before.close();
  await push(1);
  await server.bus.pushToAccount('acme', 'chat:m', 2);
  const after = await comeBack();
  await after.subscribe('chat:n');
  await server.bus.pushToAccount('acme', 'chat:n', 3);
  await subscribe(after, positions!, ['chat:m']);
  expect(dataOf(after)).toEqual([1, 2, 3]);
});

it('P6: a long replay waits for its reader, and a slow one is not closed', async () => {
  const size = 2_000;
  const config = { maxQueueBytes: 65_536, maxEventBytes: 65_536 };
  const history = { chat: { history: { size: size + 1, ttlMs: 60_000 } } };
  server = await startLoopApp({ options: { services: history, config } });
  const before = await server.client('acme', { connectionId: 'phone' });
  const { positions } = before.welcome;
  await before.close();
  const text = 'x'.repeat(1_000);
  await Promise.all(
    Array.from({ length: size }, (_, n) => server.bus.pushToAccount('acme', 'chat:n', { n, text })),
  );
  const after = await comeBack();
  const answering = subscribe(after, positions!);
  await server.bus.pushToAccount('acme', 'chat:n', { n: size });
  expect((await answering).reset).toEqual({});
  await after.ask({ op: 'ping' });
  const numbers = dataOf(after).map((data) => (data as { n: number }).n);
  expect(numbers).toEqual(Array.from({ length: size + 1 }, (_, n) => n));
});

it('P1, P3: what comes during a read is there behind it, also when it is more than may wait', async () => {
  const history = { chat: { history: { size: 2_000, ttlMs: 60_000 } } };
  server = await startLoopApp({ options: { services: history } });
  const before = await server.client('acme', { connectionId: 'phone' });
  const { positions } = before.welcome;
  await before.close();
  await push(0);
  const since = MemoryHistory.prototype.since;
  const reading = jest.spyOn(MemoryHistory.prototype, 'since');
  reading.mockImplementationOnce(async function (this: MemoryHistory, ...args) {
    const missed = await since.apply(this, args);
    await push(...Array.from({ length: 1_200 }, (_, n) => n + 1));
    return missed;
  });
  const after = await comeBack();
  const answer = await subscribe(after, { account: positions!.account! });
  await push(1_201);
  await after.ask({ op: 'ping' });
  reading.mockRestore();
  expect(answer.reset).toEqual({});
  expect(dataOf(after)).toEqual(Array.from({ length: 1_202 }, (_, n) => n));
});

it('P3: a thousand clients that were at the same place cost one read', async () => {
  server = await startLoopApp({ options: { services } });
  const before = await server.client('someone');
  const place = before.welcome.positions!['service:chat']!;
  await server.bus.pushToChannel('chat:n', 1);
  const read = jest.spyOn(MemoryLog.prototype, 'since');
  const clients = await Promise.all(
    Array.from({ length: 1_000 }, (_, n) => server.client(`a${n}`, { query: { resume: '1' } })),
  );
  const answers = await Promise.all(
    clients.map((client) => subscribe(client, { 'service:chat': place })),
  );
  expect(answers.filter(({ resumed }) => resumed!['service:chat'] !== 1)).toEqual([]);
  expect(read.mock.calls.filter(([{ n }]) => place.startsWith(n.toString(36)))).toHaveLength(1);
  read.mockRestore();
}, 30_000);

class WithoutHistory extends MemoryTransport {
  override readonly history = undefined as never;
}

it('a history that the transport cannot keep stops the boot', async () => {
  const transport = new WithoutHistory(1_000);
  const starting = startLoopApp({ options: { services, transport } });
  await expect(starting).rejects.toThrow(/"services.chat.history" needs a transport that keeps/);
});
