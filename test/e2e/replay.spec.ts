import { jest } from '@jest/globals';
import { DurableDelivery } from '../../lib/bus/durable-delivery.js';
import { Replay } from '../../lib/bus/replay.js';
import { ConnectionRegistry, type LoopConnection } from '../../lib/index.js';
import type { LoopTestClient } from '../../lib/testing/index.js';
import { MemoryHistory } from '../../lib/transport/memory/memory-history.js';
import { MemoryLog } from '../../lib/transport/memory/memory-log.js';
import { MemoryTransport } from '../../lib/transport/memory/memory.transport.js';
import { encodePosition } from '../../lib/transport/position.js';
import { comeBack, dataOf, eventsOf, resetsOf, subscribe } from '../support/durable-client.js';
import { deferred } from '../support/eventually.js';
import {
  closeLoopApps,
  type LoopApp,
  type LoopAppOptions,
  startLoopApp,
} from '../support/loop-app.js';
import { upTo } from '../support/numbers.js';
import { watchTurns } from '../support/turn-watch.js';

let server: LoopApp;
afterEach(async () => {
  jest.restoreAllMocks();
  await closeLoopApps();
});

async function start(size: number, options: LoopAppOptions = {}): Promise<void> {
  const services = { chat: { history: { size, ttlMs: 60_000 } }, billing: {} };
  const defaultSubscriptions = ['chat:*'] as const;
  server = await startLoopApp({ options: { services, defaultSubscriptions, ...options } });
}

async function push(...numbers: readonly number[]): Promise<void> {
  for (const n of numbers) await server.bus.pushToAccount('acme', 'chat:n', n);
}

const connection = (): LoopConnection => server.get(ConnectionRegistry).get('acme', 'phone')!;
const newClient = (): Promise<LoopTestClient> => server.client('acme', { connectionId: 'phone' });

/** Where the account is before what is pushed next. */
async function positionOfToday(): Promise<string> {
  const client = await newClient();
  const { account } = client.welcome.positions!;
  await client.close();
  return account!;
}

/** Does something behind each of so many reads: what it pushes is in none of them. */
function afterReads(
  method: 'since' | 'latest',
  times: number,
  happens: () => Promise<unknown>,
): void {
  const original = MemoryHistory.prototype[method] as (...args: unknown[]) => Promise<unknown>;
  const reading = jest.spyOn(MemoryHistory.prototype, method) as jest.Spied<
    (...args: unknown[]) => Promise<unknown>
  >;
  for (let n = 0; n < times; n++)
    reading.mockImplementationOnce(async function (this: unknown, ...args) {
      const read = await original.apply(this, args);
      await happens();
      return read;
    });
}

it('P6: many replays that are asked for in one turn begin in several, and miss nothing', async () => {
  const count = 40;
  await start(100);
  const account = await positionOfToday();
  await push(1, 2, 3);
  const clients = await Promise.all(upTo(count).map((n) => comeBack(server, `device${n}`)));
  const beginning = jest.spyOn(Replay.prototype, 'run');
  const begun = watchTurns(() => beginning.mock.calls.length, count);
  const answers = await Promise.all(clients.map((client) => subscribe(client, { account })));
  for (const answer of answers) expect(answer.resumed).toEqual({ account: 3 });
  for (const client of clients) expect(dataOf(client)).toEqual([1, 2, 3]);
  expect(begun.most).toBeLessThanOrEqual(8);
});

describe('a long replay', () => {
  const config = { maxQueueBytes: 65_536, maxEventBytes: 65_536 };

  it('P6: waits for its reader, and a slow one is not closed', async () => {
    const size = 2_000;
    await start(size + 1, { config });
    const account = await positionOfToday();
    const text = 'x'.repeat(1_000);
    await Promise.all(
      upTo(size).map((n) => server.bus.pushToAccount('acme', 'chat:n', { n, text })),
    );
    const client = await comeBack(server);
    const answering = subscribe(client, { account });
    await server.bus.pushToAccount('acme', 'chat:n', { n: size });
    expect((await answering).reset).toEqual({});
    await client.ask({ op: 'ping' });
    const numbers = dataOf(client).map((data) => (data as { n: number }).n);
    expect(numbers).toEqual(upTo(size + 1));
  });

  it('P6: of small events goes out in many turns, so that it does not stop everything else', async () => {
    const size = 1_000;
    await start(size);
    const account = await positionOfToday();
    await push(...upTo(size));
    const client = await comeBack(server);
    const sending = jest.spyOn(DurableDelivery.prototype, 'replay');
    const sent = watchTurns(() => sending.mock.calls.length, size);
    expect(await subscribe(client, { account })).toMatchObject({ resumed: { account: size } });
    expect(dataOf(client)).toEqual(upTo(size));
    expect(sent.most).toBeLessThanOrEqual(512);
  });

  it('P6: so do those of many topics together, and what comes meanwhile', async () => {
    const [rooms, each, meanwhile] = [upTo(20).map((n) => `r${n}`), 40, 200];
    await start(1_000, { config });
    const text = 'x'.repeat(4_000);
    const pushTo = (room: string, count: number): Promise<unknown> =>
      Promise.all(upTo(count).map((n) => server.bus.pushToRoom(room, 'chat:n', { n, text })));
    const before = await newClient();
    for (const room of rooms) await connection().join(room);
    await before.ask({ op: 'ping' });
    const told = before.frames.map((frame) => (frame.op === 'positions' ? frame.topics : {}));
    await before.close();
    for (const room of rooms) await pushTo(room, each);
    const client = await comeBack(server, 'phone', 20_000);
    for (const room of rooms) await connection().join(room);
    afterReads('since', 1, () => pushTo('r0', meanwhile));
    const answer = await subscribe(client, Object.assign({}, ...told));
    expect(Object.keys(answer.resumed!)).toHaveLength(rooms.length);
    expect(eventsOf(client)).toHaveLength(rooms.length * each + meanwhile);
  });

  it('P1, P3: is followed by what came during a read, also when it is more than may wait', async () => {
    await start(2_000);
    const account = await positionOfToday();
    await push(0);
    afterReads('since', 1, () => push(...upTo(1_201).slice(1)));
    const client = await comeBack(server);
    const answer = await subscribe(client, { account });
    await push(1_201);
    await client.ask({ op: 'ping' });
    expect(answer.reset).toEqual({});
    expect(dataOf(client)).toEqual(upTo(1_202));
  });

  it('P3: is no reset as long as it gets on, however busy its topic is', async () => {
    await start(10_000);
    const account = await positionOfToday();
    let n = 0;
    afterReads('since', 6, async () => {
      for (let more = 0; more < 1_100; more++) await push(n++);
    });
    const client = await comeBack(server, 'phone', 10_000);
    expect(await subscribe(client, { account })).toMatchObject({ resumed: { account: 6_600 } });
    expect(dataOf(client)).toEqual(upTo(6_600));
  });
});

describe('the latest event', () => {
  it('P3: takes the place of nothing that the connection gets anyway', async () => {
    await start(10, { defaultSubscriptions: [] });
    const client = await newClient();
    await client.subscribe('chat:message');
    afterReads('latest', 1, async () => {
      await server.bus.pushToChannel('chat:message', 1);
      await server.bus.pushToChannel('chat:message', 2);
    });
    await subscribe(client, { 'service:chat': 'latest' }, ['chat:price']);
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([1, 2]);
  });

  it('P3: of a topic in which there is none so far is followed by what comes during the read', async () => {
    await start(10);
    const client = await comeBack(server);
    afterReads('latest', 1, () => server.bus.pushToChannel('chat:price', 1));
    const answer = await subscribe(client, { 'service:chat': 'latest' });
    await client.ask({ op: 'ping' });
    expect(answer.reset).toEqual({});
    expect(dataOf(client)).toEqual([1]);
  });

  it('P3: is followed by all that comes during the read, also when it is more than may wait', async () => {
    await start(2_000);
    await server.bus.pushToChannel('chat:n', 0);
    const client = await newClient();
    const more = upTo(1_201).slice(1);
    afterReads('latest', 1, async () => {
      for (const n of more) await server.bus.pushToChannel('chat:n', n);
    });
    await subscribe(client, { 'service:chat': 'latest' }, ['chat:other']);
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual(upTo(1_201));
  });

  it('is given as often as it is asked for', async () => {
    await start(10);
    const client = await newClient();
    await server.bus.pushToChannel('chat:price', 1);
    await subscribe(client, { 'service:chat': 'latest' });
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([1, 1]);
  });
});

describe('a connection that gets its topics already', () => {
  it('P2: is given only what none of its patterns has matched so far', async () => {
    await start(10, { defaultSubscriptions: ['chat:a'] });
    const client = await newClient();
    await server.bus.pushToAccount('acme', 'chat:a', 'a');
    await server.bus.pushToAccount('acme', 'chat:b', 'b');
    const { account } = client.welcome.positions!;
    const answer = await subscribe(client, { account: account! }, ['chat:b']);
    await client.ask({ op: 'ping' });
    expect(answer).toMatchObject({ resumed: { account: 1 }, reset: {} });
    expect(dataOf(client)).toEqual(['a', 'b']);
  });

  it('P3: is given what was before it began', async () => {
    await start(10);
    const account = await positionOfToday();
    await push(1);
    const client = await newClient();
    await push(2);
    expect(await subscribe(client, { account })).toMatchObject({ resumed: { account: 1 } });
    expect(await subscribe(client, { account })).toMatchObject({ resumed: { account: 0 } });
    expect(dataOf(client)).toEqual([2, 1]);
  });

  it('P2, P3: gets what is pushed while a pattern is added, once', async () => {
    const { promise: authorized, resolve: authorize } = deferred();
    await start(10, { authorize: async () => (await authorized, true), defaultSubscriptions: [] });
    const client = await newClient();
    await connection().subscribe('chat:a');
    const { account } = client.welcome.positions!;
    const answering = subscribe(client, { account: account! }, ['chat:b']);
    await client.ask({ op: 'ping' });
    await server.bus.pushToAccount('acme', 'chat:a', 'a');
    await server.bus.pushToAccount('acme', 'chat:b', 'b');
    authorize();
    await answering;
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual(['a', 'b']);
  });

  it('P3: misses nothing when the pattern cannot be added', async () => {
    await start(10, { defaultSubscriptions: [] });
    const client = await newClient();
    await connection().subscribe('chat:a');
    const { account } = client.welcome.positions!;
    jest.spyOn(MemoryTransport.prototype, 'attach').mockImplementationOnce(async () => {
      await server.bus.pushToAccount('acme', 'chat:a', 'a');
      throw new Error('no');
    });
    const answer = client.ask({
      op: 'subscribe',
      patterns: ['billing:n'],
      since: { account: account!, 'service:chat': 'latest' },
    });
    expect(await answer).toMatchObject({ op: 'error' });
    await push(1);
    await server.bus.pushToAccount('acme', 'chat:a', 'b');
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual(['a', 'b']);
    expect(resetsOf(client)).toEqual([]);
  });
});

it('P3: a thousand clients that were at the same place cost one read', async () => {
  await start(10);
  const before = await server.client('someone');
  const place = before.welcome.positions!['service:chat']!;
  await server.bus.pushToChannel('chat:n', 1);
  const read = jest.spyOn(MemoryLog.prototype, 'since');
  const clients = await Promise.all(
    Array.from({ length: 1_000 }, (_, n) =>
      server.client(`a${n}`, { query: { resume: '1' }, timeoutMs: 20_000 }),
    ),
  );
  const answers = await Promise.all(
    clients.map((client) => subscribe(client, { 'service:chat': place })),
  );
  expect(answers.filter(({ resumed }) => resumed!['service:chat'] !== 1)).toEqual([]);
  const ofPlace = read.mock.calls.filter(([position]) => encodePosition(position) === place);
  expect(ofPlace).toHaveLength(1);
  read.mockRestore();
}, 30_000);
