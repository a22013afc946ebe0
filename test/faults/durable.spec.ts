import {
  comeBack,
  dataOf,
  eventsOf,
  gets,
  HEALING_MS,
  resetsOf,
  storyOf,
  subscribe,
} from '../support/durable-client.js';
import { durableTest } from '../support/durable-test.js';
import { eventually } from '../support/eventually.js';
import { upTo } from '../support/numbers.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const { startServers } = durableTest();

describe('durable pushes when Redis fails', () => {
  let redis: RedisServer;
  const cut = (): Promise<unknown> => redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  beforeEach(async () => {
    redis = await startRedis();
  });

  it('P3: what was pushed while the server was cut off arrives, in order and once', async () => {
    const { server, push } = await startServers(redis.url);
    const client = await server.client('acme');
    for (const n of upTo(200)) {
      if (n % 20 === 0) await cut();
      await push(n);
    }
    await gets(client, 199);
    expect(dataOf(client)).toEqual(upTo(200));
    expect(resetsOf(client)).toEqual([]);
  });

  it('P3: the last event, lost in a cut, arrives though none follows', async () => {
    const { server, push } = await startServers(redis.url);
    const client = await server.client('acme');
    await push('before');
    await cut();
    await push('last');
    await gets(client, 'last');
    expect(dataOf(client)).toEqual(['before', 'last']);
  });

  it('P3: a last event that was lost on the way is found by the check from time to time', async () => {
    const { server, push } = await startServers(redis.url, { historyCheckMs: 1_200 });
    const client = await server.client('acme');
    await push('before');
    await gets(client, 'before');
    await keepUnpublished(redis, 'acme');
    await eventually('it is found', () => eventsOf(client).length === 2);
    expect(dataOf(client)).toEqual(['before', 'before']);
  });

  it('P3: a Redis that comes back empty makes one reset, and then everything arrives', async () => {
    const { server, push } = await startServers(redis.url);
    const client = await server.client('acme');
    await push('before');
    await gets(client, 'before');
    await redis.kill();
    await redis.start();
    await eventually('it is told', () => resetsOf(client).length > 1, HEALING_MS);
    await push('after');
    await gets(client, 'after');
    expect(resetsOf(client).sort()).toEqual(['account', 'service:chat']);
    const positions = eventsOf(client).map(({ pos }) => pos!);
    expect(new Set(positions).size).toBe(positions.length);
  }, 30_000);

  it('P3: data that is flushed under way ends in a reset with the next push', async () => {
    const { server, push } = await startServers(redis.url);
    const client = await server.client('acme');
    await push('before');
    await gets(client, 'before');
    await redis.command('FLUSHALL');
    await push('lost to the reset');
    await eventually('it is told', () => resetsOf(client).length > 0);
    await push('after');
    await gets(client, 'after');
    expect(dataOf(client)).toEqual(['before', 'after']);
  });

  it('P3: one loss is told once, also to a client that goes on at a server that has not noticed it', async () => {
    const { publisher, server, push } = await startServers(redis.url);
    const tablet = await server.client('acme', { connectionId: 'tablet' });
    const account = await push(0);
    await gets(tablet, 0);
    await redis.command('FLUSHALL');
    const phone = await comeBack(publisher);
    const { reset } = await subscribe(phone, { account });
    await phone.close();
    const client = await comeBack(server);
    const answer = await subscribe(client, { account: reset!['account']! });
    expect(answer).toMatchObject({ resumed: { account: 0 }, reset: {} });
    await push(1);
    await Promise.all([gets(client, 1), gets(tablet, 1)]);
    expect(storyOf(client)).toEqual([1]);
    expect(storyOf(tablet)).toEqual([0, 'reset', 1]);
  });

  it('P2: two servers that push the same id at once place it once', async () => {
    const { publisher, server, push } = await startServers(redis.url);
    const client = await server.client('acme');
    const reports = await Promise.all(
      upTo(20).map((n) =>
        [publisher, server][n % 2]!.bus.pushToAccount('acme', 'chat:n', 'x', { id: 'one' }),
      ),
    );
    await push('last');
    await gets(client, 'last');
    expect(dataOf(client)).toEqual(['x', 'last']);
    expect(new Set(reports.map(({ position }) => position)).size).toBe(1);
  });

  it('P2, P5: a push that timed out may be repeated under its id: it is there once', async () => {
    const { publisher, server, push } = await startServers(redis.url);
    const client = await server.client('acme');
    redis.pause();
    const report = await publisher.bus.pushToAccount('acme', 'chat:n', 'x', { id: 'one' });
    expect(report).toMatchObject({ complete: false, why: 'timeout' });
    redis.resume();
    await eventually('it is confirmed', async () => {
      const { position } = await publisher.bus.pushToAccount('acme', 'chat:n', 'x', { id: 'one' });
      return position !== undefined;
    });
    await push('last');
    await gets(client, 'last');
    expect(dataOf(client)).toEqual(['x', 'last']);
  });

  it('the script is sent again to a Redis that has forgotten it', async () => {
    const { publisher, server, push } = await startServers(redis.url);
    const client = await server.client('acme');
    await push(0);
    await redis.command('SCRIPT', 'FLUSH');
    const pushes = upTo(100).map((n) => publisher.bus.pushToAccount('acme', 'chat:n', n));
    await Promise.all(pushes);
    await gets(client, 99);
    expect(dataOf(client)).toEqual([0, ...upTo(100)]);
  });

  it('P5: nothing is queued for a Redis that is not there', async () => {
    const { publisher, server, push } = await startServers(redis.url);
    await redis.kill();
    await eventually('it is noticed', async () => {
      const report = await publisher.bus.pushToAccount('acme', 'chat:n', 1);
      return !report.complete && report.why === 'unavailable';
    });
    await redis.start();
    await push(2);
    const client = await server.client('acme', { timeoutMs: HEALING_MS });
    await subscribe(client, { account: 'latest' });
    expect(dataOf(client)).toEqual([2]);
  }, 30_000);
});

/** Repeats the last entry of an account's history under the next position, and publishes nothing. */
async function keepUnpublished(redis: RedisServer, account: string): Promise<void> {
  const [list] = await redis.command<string[]>('KEYS', `*:h:a:${account}`);
  const [position] = await redis.command<string[]>('KEYS', `*:p:a:${account}`);
  const script = `
local n, id, _, rest = string.match(redis.call('LINDEX', KEYS[1], -1), '^(%d+)|([^|]*)|([^|]*)|(.*)$')
local own = string.format('%.0f', n + 1) .. '|unheard'
redis.call('RPUSH', KEYS[1], own .. '|' .. id .. '|' .. rest)
redis.call('SET', KEYS[2], own)`;
  await redis.command('EVAL', script, 2, list!, position!);
}
