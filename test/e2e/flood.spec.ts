import { setImmediate as turn } from 'node:timers/promises';
import { ConnectionRegistry } from '../../lib/index.js';
import type { LoopTestClient } from '../../lib/testing/index.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';

const TURNS = 40;
const PER_TURN = 200;

/** Longer than a test: what gathers is sent only when something else makes it leave. */
const FOR_EVER_MS = 60_000;

let redis: RedisServer;
beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  await closeLoopApps();
  endRedisServers();
});

const startServer = (redisGatherMs: number): Promise<LoopApp> =>
  startLoopApp({
    options: {
      redis: redis.url,
      services: { chat: {}, news: { history: { size: 10, ttlMs: 60_000 } } },
      config: { redisGatherMs },
    },
  });

/** Publishes numbers, far more than a server usually has to, and returns how many. */
async function flood(push: (number: number) => void): Promise<number> {
  let number = 0;
  for (let at = 0; at < TURNS; at++) {
    for (let one = 0; one < PER_TURN; one++) push(number++);
    await turn();
  }
  return number;
}

async function publishesOf(work: () => Promise<unknown>): Promise<number> {
  await redis.command('CONFIG', 'RESETSTAT');
  await work();
  const stats = await redis.command<string>('INFO', 'commandstats');
  return Number(/cmdstat_publish:calls=(\d+)/.exec(stats)![1]);
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

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe('a flood of pushes to other servers', () => {
  it('P1, P2: to an account, a room and a channel in turn: in the order of the calls, once', async () => {
    const [a, b] = [await startServer(1), await startServer(1)];
    const client = await b.client('acme', { connectionId: 'phone' });
    await b.get(ConnectionRegistry).get('acme', 'phone')!.join('lobby');
    const targets = [
      (number: number) => a.bus.pushToAccount('acme', 'chat:n', number, { receipt: false }),
      (number: number) => a.bus.pushToAccount('acme', 'chat:n', number, { receipt: false }),
      (number: number) => a.bus.pushToRoom('lobby', 'chat:n', number, { receipt: false }),
      (number: number) => a.bus.pushToChannel('chat:n', number),
    ];
    const count = await flood((number) => void targets[number % targets.length]!(number));
    expect(await received(client, count)).toEqual(upTo(count));
  });

  it('P5: every result is told, and told right', async () => {
    const [a, b] = [await startServer(1), await startServer(1)];
    await b.client('acme', { connectionId: 'phone' });
    const results: Promise<string>[] = [];
    const count = await flood((number) => {
      results.push(a.bus.pushToConnection('acme', 'phone', 'chat:n', number));
    });
    expect(await Promise.all(results)).toEqual(upTo(count).map(() => 'delivered'));
  });

  it('P9: gathers, and a server that leaves sends what has gathered', async () => {
    const [a, b] = [await startServer(FOR_EVER_MS), await startServer(FOR_EVER_MS)];
    const client = await b.client('acme');
    const published = await publishesOf(async () => {
      const count = await flood(
        (number) => void a.bus.pushToAccount('acme', 'chat:n', number, { receipt: false }),
      );
      await a.close();
      expect(await received(client, count)).toEqual(upTo(count));
    });
    expect(published).toBeLessThan(TURNS);
  });

  it('P1: a durable push does not overtake what has gathered', async () => {
    const [a, b] = [await startServer(FOR_EVER_MS), await startServer(FOR_EVER_MS)];
    const client = await b.client('acme');
    const count = await flood(
      (number) => void a.bus.pushToAccount('acme', 'chat:n', number, { receipt: false }),
    );
    void a.bus.pushToChannel('news:n', count);
    expect(await received(client, count + 1)).toEqual(upTo(count + 1));
  });
});
