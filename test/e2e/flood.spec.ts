import { setImmediate as turn } from 'node:timers/promises';
import { jest } from '@jest/globals';
import {
  ConnectionRegistry,
  type EventBus,
  type LoopWsOptions,
  PresenceStore,
} from '../../lib/index.js';
import type { LoopTestClient } from '../../lib/testing/index.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';

const TURNS = 4;
const PER_TURN = 1_000;
const ALL = Array.from({ length: TURNS * PER_TURN }, (_, number) => number);

/** What has gathered leaves when the test says, or when something else makes it leave; see {@link holdTimers}. */
const LONG_MS = 1_000;

const SILENT = { receipt: false };

let redis: RedisServer;
beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await closeLoopApps();
  endRedisServers();
});

const startServer = (
  redisGatherMs: number,
  at: LoopWsOptions['redis'] = redis.url,
): Promise<LoopApp> =>
  startLoopApp({
    options: {
      redis: at,
      services: { chat: {}, news: { history: { size: 100, ttlMs: 60_000 } } },
      config: { redisGatherMs, receiptTimeoutMs: 10_000 },
    },
  });

/** A busy machine pushes more slowly than a flood comes; by a clock that goes on two milliseconds per turn it does not. */
function stepClock(): void {
  const now = performance.now.bind(performance);
  const start = now();
  jest
    .spyOn(performance, 'now')
    .mockImplementation(() => start + 2 * turns + (now() - start) / 1_000);
}

/** Timers of at most `LONG_MS` that are set before `stop` fire when the test says, however long it takes. */
function holdTimers(): { readonly stop: () => void; readonly fire: () => void } {
  const held: (() => void)[] = [];
  const { setTimeout } = globalThis;
  const hold = (callback: () => void, ms = 0): NodeJS.Timeout => {
    if (ms > LONG_MS) return setTimeout(callback, ms);
    held.push(callback);
    return setTimeout(() => {}).unref();
  };
  const spy = jest.spyOn(globalThis, 'setTimeout').mockImplementation(hold);
  return {
    stop: () => spy.mockRestore(),
    fire: () => held.splice(0).forEach((callback) => callback()),
  };
}

/** Turns of floods so far. */
let turns = 0;

/** Pushes numbers, far more of them than a server usually has to. */
async function flood(push: (number: number) => void): Promise<void> {
  for (const number of ALL) {
    push(number);
    if ((number + 1) % PER_TURN > 0) continue;
    await turn();
    turns++;
  }
}

/** The payloads of the first so many events, in the order in which they came. */
async function received(client: LoopTestClient, count: number): Promise<unknown[]> {
  const data: unknown[] = [];
  while (data.length < count) {
    const frame = await client.nextFrame('an event', (one) => 'event' in one);
    data.push((frame as { data?: unknown }).data);
  }
  return data;
}

/** Whether some have not left: what had would have come on the way that a query of the publisher takes, and back. */
async function gathers(publisher: LoopApp, client: LoopTestClient): Promise<boolean> {
  for (let round = 0; round < 5; round++) {
    await publisher.get(PresenceStore).isOnline('acme');
    await client.ask({ op: 'ping' });
  }
  return client.frames.filter((frame) => 'event' in frame).length < ALL.length;
}

/** A publisher in which the end of a flood has gathered, and the client that it is for. */
async function gathered(push: (bus: EventBus, number: number) => void): Promise<{
  publisher: LoopApp;
  client: LoopTestClient;
  sendGathered: () => void;
}> {
  const [publisher, server] = [await startServer(LONG_MS), await startServer(LONG_MS)];
  const client = await server.client('acme', { connectionId: 'phone' });
  stepClock();
  const timers = holdTimers();
  await flood((number) => push(publisher.bus, number));
  timers.stop();
  expect(await gathers(publisher, client)).toBe(true);
  return { publisher, client, sendGathered: timers.fire };
}

const pushSilently = (bus: EventBus, number: number): void =>
  void bus.pushToAccount('acme', 'chat:n', number, SILENT);

describe('a flood of pushes to another server', () => {
  it('P1, P2: to an account, a room and a channel in turn: in the order of the calls, once', async () => {
    const [a, b] = [await startServer(1), await startServer(1)];
    const client = await b.client('acme', { connectionId: 'phone' });
    await b.get(ConnectionRegistry).get('acme', 'phone')!.join('lobby');
    const pushes = [
      (number: number) => a.bus.pushToAccount('acme', 'chat:n', number, SILENT),
      (number: number) => a.bus.pushToAccount('acme', 'chat:n', number),
      (number: number) => a.bus.pushToRoom('lobby', 'chat:n', number, SILENT),
      (number: number) => a.bus.pushToChannel('chat:n', number),
    ];
    await flood((number) => void pushes[number % pushes.length]!(number));
    expect(await received(client, ALL.length)).toEqual(ALL);
  });

  it('P1: over a Redis Cluster: in the order of the calls, and every result is right', async () => {
    const { options } = await startRedisCluster(3, false);
    const [a, b] = [await startServer(1, options), await startServer(1, options)];
    const client = await b.client('acme', { connectionId: 'phone' });
    const results: Promise<string>[] = [];
    await flood((number) => {
      results.push(a.bus.pushToConnection('acme', 'phone', 'chat:n', number));
      void a.bus.pushToAccount(`other ${number % 100}`, 'chat:n', number, SILENT);
    });
    expect(await received(client, ALL.length)).toEqual(ALL);
    expect(await Promise.all(results)).toEqual(ALL.map(() => 'delivered'));
  }, 30_000);

  it('P5: every result is told, and told right', async () => {
    const [a, b] = [await startServer(1), await startServer(1)];
    await b.client('acme', { connectionId: 'phone' });
    const results: Promise<string>[] = [];
    await flood((number) => {
      results.push(a.bus.pushToConnection('acme', 'phone', 'chat:n', number));
    });
    expect(await Promise.all(results)).toEqual(ALL.map(() => 'delivered'));
  });

  it('P9: gathers, and a server that leaves sends what has gathered', async () => {
    const { publisher, client } = await gathered(pushSilently);
    await publisher.close();
    expect(await received(client, ALL.length)).toEqual(ALL);
  });

  it('P1: is not overtaken by a durable push', async () => {
    const { publisher, client } = await gathered(pushSilently);
    void publisher.bus.pushToChannel('news:n', 'durable');
    expect(await received(client, ALL.length + 1)).toEqual([...ALL, 'durable']);
  });

  it('P5, P6: whose end had not left when Redis was gone is told of as unknown', async () => {
    const results: Promise<string>[] = [];
    const { sendGathered } = await gathered((bus, number) => {
      if (number % 10 > 0) pushSilently(bus, number);
      else results.push(bus.pushToConnection('acme', 'phone', 'chat:n', number));
    });
    await redis.kill();
    sendGathered();
    const told = await Promise.all(results);
    expect(new Set(told)).toEqual(new Set(['delivered', 'unknown']));
    expect(told.at(-1)).toBe('unknown');
    await redis.start(); // else the driver's farewell takes two seconds
  });
});

describe('pushes that are no flood', () => {
  it('do not gather', async () => {
    const [a, b] = [await startServer(LONG_MS), await startServer(LONG_MS)];
    await b.client('acme', { connectionId: 'phone' });
    holdTimers();
    for (const number of ALL.slice(0, 20)) {
      expect(await a.bus.pushToConnection('acme', 'phone', 'chat:n', number)).toBe('delivered');
    }
  });
});

describe('durable pushes and others in turn', () => {
  it('P1: arrive on another server in the order of the calls', async () => {
    const [a, b] = [await startServer(1), await startServer(1)];
    const client = await b.client('acme');
    const numbers = ALL.slice(0, 90);
    for (const number of numbers) {
      const push = [
        () => a.bus.pushToChannel('news:n', number),
        () => a.bus.pushToAccount('acme', 'chat:n', number),
        () => a.bus.pushToChannel('chat:n', number, SILENT),
      ];
      void push[number % push.length]!();
    }
    expect(await received(client, numbers.length)).toEqual(numbers);
  });

  it('P1: and so do questions', async () => {
    const [a, b] = [await startServer(1), await startServer(1)];
    const client = await b.client('acme', { connectionId: 'phone' });
    const ask = (number: number) =>
      a.bus.ask('acme', 'phone', 'chat:n', number, { timeoutMs: 1_000 });
    void a.bus.pushToAccount('acme', 'chat:n', 0);
    void a.bus.pushToChannel('news:n', 1);
    const asked = ask(2);
    void a.bus.pushToAccount('acme', 'chat:n', 3);
    expect(await received(client, 4)).toEqual([0, 1, 2, 3]);
    const { ask: question } = client.frames.findLast((frame) => 'ask' in frame) as { ask: number };
    client.send({ op: 'answer', ask: question, data: 'here' });
    expect(await asked).toBe('here');
  });
});
