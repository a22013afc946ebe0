import { jest } from '@jest/globals';
import { slotOf } from '../../lib/redis/slots.js';
import { parsePosition } from '../../lib/transport/position.js';
import { SampledLogger } from '../../lib/util/sampled-logger.js';
import { moveClockOn } from '../support/clock.js';
import {
  comeBack,
  dataOf,
  gets,
  HEALING_MS,
  resetsOf,
  subscribe,
} from '../support/durable-client.js';
import { type DurableServers, durableTest } from '../support/durable-test.js';
import { eventually } from '../support/eventually.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const { startServer, startServers } = durableTest();

describe('a Redis that is not as it was', () => {
  afterEach(() => jest.restoreAllMocks());

  it('P3: tells who was away when it is back at a snapshot of long ago', async () => {
    const redis = await startRedis();
    await redis.command('CONFIG', 'SET', 'save', '');
    const { publisher, push, pos } = await leftAlone(redis);
    await redis.command('SAVE');
    await push('lost');
    moveClockOn(61_000);
    await redis.kill();
    await redis.start();
    const again = await startServer('server-2', redis.url);
    await eventually(
      'the publisher is back',
      async () => (await publisher.bus.pushToAccount('other', 'chat:n', 1)).complete,
      HEALING_MS,
    );
    const back = await comeBack(again);
    const answer = await subscribe(back, { account: pos });
    expect(answer).toMatchObject({ resumed: {}, reset: { account: expect.any(String) } });
  }, 60_000);

  it('P3: is checked for losses until the check succeeds, though it takes no writes at first', async () => {
    const redis = await startRedis();
    const { push, pos } = await leftAlone(redis);
    await push('lost');
    const key = await loseLastPush(redis, 'acme', pos);
    const warned = jest.spyOn(SampledLogger.prototype, 'warn');
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', 1);
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await eventually('a check fails', () => warned.mock.calls.some(([kind]) => kind === 'vouch'));
    const before = await redis.command('GET', key);
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', 0);
    await eventually('it begins anew', async () => (await redis.command('GET', key)) !== before);
    const back = await comeBack(await startServer('server-2', redis.url));
    const answer = await subscribe(back, { account: pos });
    expect(answer).toMatchObject({ resumed: {}, reset: { account: expect.any(String) } });
  }, 60_000);

  it('P5: takes pushes while one of its slots is on its way to another master', async () => {
    const cluster = await startRedisCluster(3, false);
    const server = await startServer('server', cluster.options);
    const other = await startServer('other', cluster.options);
    await other.client('acme', { connectionId: 'phone' });
    const push = (name: `${string}:n`) => server.bus.pushToAccount('acme', name, 1);
    expect(await push('chat:n')).toMatchObject({ delivered: 1, complete: true });
    const { masters } = cluster;
    const keys = await Promise.all(
      masters.map((master) => master.command<string[]>('KEYS', '*:p:a:acme')),
    );
    const from = keys.findIndex(({ length }) => length > 0);
    const to = (from + 1) % masters.length;
    const slot = slotOf(keys[from]![0]!);
    const idOf = (at: number): Promise<string> => masters[at]!.command('CLUSTER', 'MYID');
    await masters[to]!.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from));
    await masters[from]!.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to));
    const durable = await push('chat:n');
    expect(durable).toMatchObject({ delivered: 1, complete: true, position: expect.any(String) });
    expect(await push('plain:n')).toMatchObject({ filtered: 1, complete: true });
  }, 60_000);
});

describe('servers that differ', () => {
  it('P3, P5: one whose options keep no history of a service delivers what others keep', async () => {
    const redis = await startRedis();
    const publisher = await startServer('publisher', redis.url);
    const services = ['chat', 'plain'];
    const server = await startServer('server', redis.url, { services });
    const client = await server.client('acme', { connectionId: 'phone' });
    const push = () => publisher.bus.pushToConnection('acme', 'phone', 'chat:n', 1);
    expect(await push()).toBe('delivered');
    expect((await publisher.bus.pushToChannel('chat:n', 2)).delivered).toBe(1);
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([1, 2]);
  });

  it('P3, P6: what one of a later version has pushed is a reset for those that cannot read it', async () => {
    const redis = await startRedis();
    const server = await startServer('server', redis.url);
    const client = await server.client('acme', { connectionId: 'phone' });
    const push = (data: string) => server.bus.pushToAccount('acme', 'chat:n', data);
    await push('before');
    await pushOfLaterVersion(redis, 'acme');
    await push('next');
    await eventually('it is told', () => resetsOf(client).includes('account'));
    await push('after');
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual(['before', 'after']);
  });
});

/** Who saw the push at `pos` is gone, and so is its server: only the publisher knows of what comes now. */
async function leftAlone(
  redis: RedisServer,
): Promise<Omit<DurableServers, 'server'> & { readonly pos: string }> {
  const { publisher, server, push } = await startServers(redis.url);
  const client = await server.client('acme', { connectionId: 'phone' });
  const pos = await push('kept');
  await gets(client, 'kept');
  await client.close();
  await server.close();
  return { publisher, push, pos };
}

/** As a failover does: the last push of an account's history is gone, and `pos` is the last again. Resolves with the key of its position. */
async function loseLastPush(redis: RedisServer, account: string, pos: string): Promise<string> {
  const [list] = await redis.command<string[]>('KEYS', `*:h:a:${account}`);
  const [key] = await redis.command<string[]>('KEYS', `*:p:a:${account}`);
  const { n, id } = parsePosition(pos)!;
  await redis.command('RPOP', list!);
  await redis.command('SET', key!, `${n}|${id}`);
  return key!;
}

/** Repeats the last entry of an account's history under the next position, in an envelope of another version. */
async function pushOfLaterVersion(redis: RedisServer, account: string): Promise<void> {
  const [list] = await redis.command<string[]>('KEYS', `*:h:a:${account}`);
  const [position] = await redis.command<string[]>('KEYS', `*:p:a:${account}`);
  const channel = position!.replace(':p:a:', ':a:');
  const script = `
local n, id, _, till, rest = string.match(redis.call('LINDEX', KEYS[1], -1), '^(%d+)|([^|]*)|([^|]*)|([^|]*)|(.*)$')
local own = string.format('%.0f', n + 1) .. '|later'
local envelope = string.char(255) .. string.sub(rest, 2)
redis.call('RPUSH', KEYS[1], own .. '|' .. id .. '|' .. till .. '|' .. envelope)
redis.call('SET', KEYS[2], own)
redis.call('PUBLISH', ARGV[1], own .. '|' .. id .. '|' .. envelope)`;
  await redis.command('EVAL', script, 2, list!, position!, channel);
}
