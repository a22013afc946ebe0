import { jest } from '@jest/globals';
import { ConnectionRegistry, type LoopConnection } from '../../lib/index.js';
import type { OkFrame, ServerFrame } from '../../lib/protocol/frames.js';
import { MemoryHistory } from '../../lib/transport/memory/memory-history.js';
import {
  comeBack,
  dataOf,
  resetsOf,
  subscribe,
  toldPositions,
  waitNoLongerFor,
} from '../support/durable-client.js';
import { deferred, eventually } from '../support/eventually.js';
import {
  closeLoopApps,
  type LoopApp,
  type LoopAppOptions,
  startLoopApp,
} from '../support/loop-app.js';

const SIZE = 10;
/** For what has to run out in a test; what must not run out along with it is done in less, on a busy machine too. */
const BRIEF_MS = 1_000;
const services = { chat: { history: { size: SIZE, ttlMs: 60_000 } }, billing: {} };

let server: LoopApp;
afterEach(async () => {
  jest.restoreAllMocks();
  await closeLoopApps();
});

async function start(
  config: LoopAppOptions['config'] = {},
  options: LoopAppOptions = {},
): Promise<void> {
  const defaults = { services, defaultSubscriptions: ['chat:*'] as const };
  server = await startLoopApp({ options: { ...defaults, ...options, config } });
}

async function push(...numbers: readonly number[]): Promise<void> {
  for (const n of numbers) await server.bus.pushToAccount('acme', 'chat:n', n);
}

const connection = (): LoopConnection => server.get(ConnectionRegistry).get('acme', 'phone')!;

/** Positions of a client that was here before what is pushed next. */
async function positionsOfToday(): Promise<Readonly<Record<string, string>>> {
  const client = await server.client('acme', { connectionId: 'phone' });
  const { positions } = client.welcome;
  await client.close();
  return positions!;
}

function isReset({ op }: ServerFrame): boolean {
  return op === 'reset';
}

/** Resolves when the time of a client that says nothing, and began later than all others, is up. */
async function untilTimeIsUp(): Promise<void> {
  const silent = await comeBack(server, 'silent');
  await silent.nextFrame('a reset', isReset);
}

/** What is held up in every read of a history until it is released. */
function holdUpReads(): { readonly release: () => void } {
  const { promise, resolve } = deferred();
  const { since } = MemoryHistory.prototype;
  jest.spyOn(MemoryHistory.prototype, 'since').mockImplementation(async function (
    this: MemoryHistory,
    ...args
  ) {
    const missed = await since.apply(this, args);
    await promise;
    return missed;
  });
  return { release: resolve };
}

it('P3: a client that little is sent to is told where it is, and comes back without a reset', async () => {
  await start({ heartbeatMs: 500 }, { defaultSubscriptions: [] });
  const before = await server.client('acme', { connectionId: 'phone' });
  await before.subscribe('chat:rare');
  await push(...Array.from({ length: 3 * SIZE }, (_, n) => n));
  const { position } = await server.bus.pushToAccount('acme', 'chat:n', 'last');
  const isNews = (frame: ServerFrame): boolean =>
    frame.op === 'positions' && frame.topics.account === position;
  await eventually('it is told', () => before.frames.some(isNews));
  await before.close();
  await server.bus.pushToAccount('acme', 'chat:rare', 'for it');
  const after = await comeBack(server);
  const answer = await subscribe(after, { account: position! }, ['chat:rare']);
  expect(answer).toMatchObject({ resumed: { account: 1 }, reset: {} });
  expect(dataOf(after)).toEqual(['for it']);
});

it('P3: a client is told from where on it gets a topic that is new to it', async () => {
  await start({}, { defaultSubscriptions: [] });
  const before = await server.client('acme', { connectionId: 'phone' });
  const asked = (await before.subscribe('chat:*')) as OkFrame;
  await connection().join('lobby');
  const rooms = await toldPositions(before);
  await before.close();
  await server.bus.pushToChannel('chat:n', 1);
  await server.bus.pushToRoom('lobby', 'chat:n', 2);
  const after = await comeBack(server);
  await connection().join('lobby');
  const answer = await subscribe(after, { ...asked.positions, ...rooms });
  expect(answer.resumed).toEqual({ 'service:chat': 1, 'room:lobby': 1 });
  expect(new Set(dataOf(after))).toEqual(new Set([1, 2]));
});

it('P3: a client with many patterns says where it was with the last of them', async () => {
  await start({}, { defaultSubscriptions: [] });
  const before = await server.client('acme', { connectionId: 'phone' });
  const { positions } = before.welcome;
  await before.close();
  await push(1);
  await server.bus.pushToAccount('acme', 'chat:m', 2);
  const after = await comeBack(server);
  await after.subscribe('chat:n');
  await server.bus.pushToAccount('acme', 'chat:n', 3);
  await subscribe(after, positions!, ['chat:m']);
  expect(dataOf(after)).toEqual([1, 2, 3]);
});

describe('a client that does not say in time where it was', () => {
  it('P3: is told so by a reset, and goes on from the welcome', async () => {
    await start({ connectTimeoutMs: BRIEF_MS });
    const client = await comeBack(server);
    await push(1, 2);
    expect(await client.next('chat:n')).toBe(1);
    await push(3);
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([1, 2, 3]);
    expect(client.frames[1]).toEqual({ op: 'reset', topics: client.welcome.positions });
  });

  it('P1, P3: gets nothing more of what was before when it is merely late, and no "resumed"', async () => {
    await start();
    const positions = await positionsOfToday();
    await push(1, 2);
    const client = await comeBack(server);
    await push(3);
    await waitNoLongerFor(server);
    const answer = await subscribe(client, { account: positions.account! });
    await push(4);
    await client.ask({ op: 'ping' });
    expect(answer).toMatchObject({ resumed: {}, reset: { account: expect.any(String) } });
    expect(dataOf(client)).toEqual([3, 4]);
  });

  it('P2: gets nothing twice when it says so while the server goes on', async () => {
    await start();
    const positions = await positionsOfToday();
    await push(1);
    const client = await comeBack(server);
    await push(2);
    const reads = holdUpReads();
    const goingOn = waitNoLongerFor(server);
    await client.nextFrame('a reset', isReset);
    const answering = subscribe(client, { account: positions.account! });
    reads.release();
    await goingOn;
    expect((await answering).reset).toHaveProperty('account');
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([2]);
  });

  it('P2: gets nothing twice when it goes on from that reset later', async () => {
    await start();
    const client = await comeBack(server);
    await push(1);
    await waitNoLongerFor(server);
    await push(2);
    const answer = await subscribe(client, { account: client.welcome.positions!.account! });
    await client.ask({ op: 'ping' });
    expect(answer.reset).toEqual({});
    expect(dataOf(client)).toEqual([1, 2]);
  });

  it('P3: is not taken for one while its frame is handled, however slow `authorize` is', async () => {
    const { promise: authorized, resolve: authorize } = deferred();
    const isSlow = (connectionId: string): boolean => connectionId === 'phone';
    await start(
      { connectTimeoutMs: BRIEF_MS },
      {
        defaultSubscriptions: [],
        authorize: async ({ connectionId }) => {
          if (isSlow(connectionId)) await authorized;
          return true;
        },
      },
    );
    const positions = await positionsOfToday();
    await push(1);
    const client = await comeBack(server);
    const answering = subscribe(client, { account: positions.account! });
    await untilTimeIsUp();
    authorize();
    expect(await answering).toMatchObject({ resumed: { account: 1 }, reset: {} });
    expect(resetsOf(client)).toEqual([]);
    expect(dataOf(client)).toEqual([1]);
  });
});

describe('a replay that takes longer than its frame may', () => {
  it('P2, P6: ends with the connection, whose client comes back with what it has', async () => {
    await start({ handlerTimeoutMs: BRIEF_MS });
    const positions = await positionsOfToday();
    await push(1);
    const client = await comeBack(server);
    const reads = holdUpReads();
    client.send({ op: 'subscribe', patterns: ['chat:*'], since: positions });
    expect(await client.closed).toMatchObject({ code: 1013 });
    reads.release();
    expect(dataOf(client)).toEqual([]);
    jest.restoreAllMocks();
    const again = await comeBack(server);
    expect(await subscribe(again, positions)).toMatchObject({ resumed: { account: 1 } });
  });
});

describe('a replay for a client that has not said where it was', () => {
  it('P6: ends with the connection when it takes longer than a frame may', async () => {
    await start({ connectTimeoutMs: BRIEF_MS, handlerTimeoutMs: 50 });
    const client = await comeBack(server);
    await push(1);
    const reads = holdUpReads();
    await client.nextFrame('a reset', isReset);
    expect(await client.closed).toMatchObject({ code: 1013 });
    reads.release();
    expect(dataOf(client)).toEqual([]);
  });
});
