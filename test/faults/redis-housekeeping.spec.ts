import { Redis } from 'ioredis';
import { PresenceStore } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { faultTest, healed } from '../support/fault-test.js';
import type { LoopApp } from '../support/loop-app.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const ACCOUNTS = 40;
const { edges, startServer } = faultTest();
let redis: RedisServer;
let a: LoopApp;
let b: LoopApp;

beforeEach(async () => {
  redis = await startRedis();
  const options = { config: { redisPartitions: 4 } };
  a = await startServer('a', redis.url, options);
  b = await startServer('b', redis.url, options);
});

const FILL = `for i = 1, 100 do redis.call('SET', KEYS[1] .. i, string.rep('x', 500)) end`;
/** Scripts that Redis runs in one go: 1 MB, five times as much as there is room for. */
const FILLS_AT_ONCE = 20;

/**
 * Fills the memory of Redis, which has to evict keys that nobody used of late, until none of these is left. Much at once,
 * because the servers write again what they miss.
 */
async function evictAll(pattern: string): Promise<void> {
  const used = /used_memory:(\d+)/.exec(await redis.command<string>('INFO', 'memory'))![1];
  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  await redis.command('CONFIG', 'SET', 'maxmemory', Number(used) + 200_000);
  const admin = new Redis(redis.port, '127.0.0.1');
  let filler = 0;
  await eventually('everything is evicted', async () => {
    const pipeline = admin.pipeline();
    for (let n = 0; n < FILLS_AT_ONCE; n++) pipeline.eval(FILL, 1, `filler ${++filler} `);
    const results = await pipeline.keys(pattern).exec();
    return (results!.at(-1)![1] as string[]).length === 0;
  }).finally(() => admin.disconnect());
  await redis.command('CONFIG', 'SET', 'maxmemory', 0);
}

describe('what an administrator does to Redis', () => {
  it('P7: SCRIPT FLUSH: connections come and go, and every edge is reported once', async () => {
    await b.client('acme', { connectionId: 'b' });
    for (const account of ['one', 'two', 'three']) {
      await redis.command('SCRIPT', 'FLUSH');
      const client = await a.client(account);
      await redis.command('SCRIPT', 'FLUSH');
      await client.close();
      await eventually('it is offline', () => edges.includes(`-${account}`));
    }
    expect(edges).toEqual(['+acme', '+one', '-one', '+two', '-two', '+three', '-three']);
    expect(await a.bus.pushToConnection('acme', 'b', 'chat:n', 1)).toBe('delivered');
  });

  it('P5, P7: keys of presence are evicted: pushes go on, and everybody is in the books again', async () => {
    for (let n = 0; n < ACCOUNTS; n++) await (n % 2 ? a : b).client(`account-${n}`);
    await b.client('acme', { connectionId: 'b' });
    await healed(a, 'b');
    await evictAll('*lw:c:*');
    const presence = a.get(PresenceStore);
    await eventually(
      'everybody is in the books',
      async () => {
        const listed = await presence.accounts({ limit: 1_000 });
        const online = await Promise.all(listed.accounts.map((one) => presence.isOnline(one)));
        return online.length === ACCOUNTS + 1 && !online.includes(false);
      },
      10_000,
    );
    expect(await a.bus.pushToConnection('acme', 'b', 'chat:n', 1)).toBe('delivered');
    expect(await presence.count()).toEqual({ accounts: ACCOUNTS + 1, connections: ACCOUNTS + 1 });
    expect(edges).toHaveLength(ACCOUNTS + 1);
  }, 30_000);

  it.each([
    ['the connections of accounts', '*lw:c:*'],
    ['who is online', '*lw:o'],
    ['the counts', '*lw:n'],
    ['who keeps books', '*lw:m'],
    ['what each server has registered', '*lw:s:*'],
    ['the signs of life', '{lw}servers'],
  ])(
    'P7: %s are evicted and nothing else: all is as it was',
    async (_what, pattern) => {
      const clients = [await a.client('acme'), await b.client('acme'), await b.client('solo')];
      const keys = await redis.command<string[]>('KEYS', pattern);
      expect(keys.length).toBeGreaterThan(0);
      await redis.command('DEL', ...keys);
      const presence = a.get(PresenceStore);
      await eventually(
        'presence is right',
        async () => {
          const { accounts, connections } = await presence.count();
          const { length } = await presence.connectionsOf('acme');
          return accounts === 2 && connections === 3 && length === 2;
        },
        8_000,
      );
      for (const client of clients) await client.close();
      await eventually('nobody is left', async () => (await presence.count()).connections === 0);
      await eventually('all are offline', () => edges.length === 4);
      expect(edges.toSorted()).toEqual(['+acme', '+solo', '-acme', '-solo']);
    },
    20_000,
  );
});
