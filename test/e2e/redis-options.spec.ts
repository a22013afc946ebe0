import { readFile } from 'node:fs/promises';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5';
import { PresenceStore } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import type { LoopTestClient } from '../../lib/testing/index.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import {
  endRedisServers,
  freePort,
  type RedisServer,
  startRedis,
} from '../support/redis-server.js';

let redis: RedisServer;
let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster(3, false);
  redis = await startRedis();
  await redis.command('CONFIG', 'SET', 'requirepass', 'secret');
}, 30_000);
afterAll(endRedisServers);
afterEach(closeLoopApps);

const withPassword = (): string => `redis://:secret@127.0.0.1:${redis.port}`;

describe('the option redis', () => {
  it.each([
    ['ioredis 6', () => new Redis(withPassword(), { keyPrefix: 'app:' })],
    ['ioredis 5', () => new Redis5(withPassword(), { keyPrefix: 'app:' })],
  ])("takes the application's own client of %s and leaves it open", async (_version, create) => {
    const own = create();
    const options = { redis: own, services: DURABLE };
    const [a, b] = [await startLoopApp({ options }), await startLoopApp({ options })];
    const client = await b.client('acme', { connectionId: 'phone' });
    expect(await a.bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
    await expectResumed(a, b, client);
    await closeLoopApps();
    expect(await own.ping()).toBe('PONG');
    own.disconnect();
  });

  it.each([
    ['options for a Cluster', () => cluster.options],
    ['a Cluster client of ioredis 6', () => new Cluster(cluster.options.nodes)],
    ['a Cluster client of ioredis 5', () => new Cluster5(cluster.options.nodes)],
  ])('takes %s', async (_what, create) => {
    const own = create();
    const [a, b] = [
      await startLoopApp({ options: { redis: own } }),
      await startLoopApp({ options: { redis: own } }),
    ];
    const accounts = ['acme', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'];
    for (const account of accounts) {
      await b.client(account, { connectionId: 'phone' });
      expect(await a.bus.pushToConnection(account, 'phone', 'chat:n', 1)).toBe('delivered');
    }
    expect(await a.get(PresenceStore).count()).toEqual({ accounts: 6, connections: 6 });
    await closeLoopApps();
    if ('nodes' in own && !('status' in own)) return;
    expect(await (own as Cluster).ping()).toBe('PONG');
    (own as Cluster).disconnect();
  });

  it('a Cluster that is named like a single server, or the other way round, is told apart', async () => {
    const [master] = cluster.masters;
    const clients = async (): Promise<number> =>
      (await master!.command<string>('CLIENT', 'LIST')).split('\n').length;
    const before = await clients();
    const single = startLoopApp({ options: { redis: master!.url } });
    await expect(single).rejects.toThrow(/cannot be used: MOVED .*give { nodes:/s);
    await eventually('nothing of it is left', async () => (await clients()) === before);
    const nodes = [{ host: '127.0.0.1', port: redis.port }];
    const redisOptions = { password: 'secret' };
    const many = startLoopApp({ options: { redis: { nodes, redisOptions } } });
    await expect(many).rejects.toThrow(/cluster support disabled.*It is a single server/s);
  });

  it('takes options of ioredis', async () => {
    const options = { redis: { host: '127.0.0.1', port: redis.port, password: 'secret' } };
    const [a, b] = [await startLoopApp({ options }), await startLoopApp({ options })];
    await b.client('acme', { connectionId: 'phone' });
    expect(await a.bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
  });

  it('applications with different namespaces do not hear each other', async () => {
    const [a, b] = [
      await startLoopApp({ options: { redis: withPassword(), namespace: 'one' } }),
      await startLoopApp({ options: { redis: withPassword(), namespace: 'two' } }),
    ];
    await b.client('acme', { connectionId: 'phone' });
    expect(await a.bus.pushToAccount('acme', 'chat:n', 1)).toMatchObject({
      delivered: 0,
      servers: { expected: 1 },
      complete: true,
    });
  });

  it('a different number of partitions refuses to start beside those that run', async () => {
    await startLoopApp({ options: { redis: withPassword(), namespace: 'clash' } });
    const other = startLoopApp({
      options: { redis: withPassword(), namespace: 'clash', config: { redisPartitions: 8 } },
    });
    await expect(other).rejects.toThrow(
      /redisPartitions 64, this one has protocol 1, redisPartitions 8/,
    );
  });

  it('the rights that the documentation names are enough, and one less stops the boot', async () => {
    const documented = await readFile('docs/operations.md', 'utf8');
    const rule = /ACL SETUSER loopws (.*)/.exec(documented)![1]!.replace('>PASSWORD', '>pw');
    const url = `redis://loopws:pw@127.0.0.1:${redis.port}`;
    const admin = new Redis(withPassword());
    await admin.call('ACL', ['SETUSER', 'loopws', ...rule.split(' ')]);
    const options = { redis: url, services: DURABLE };
    const [a, b] = [await startLoopApp({ options }), await startLoopApp({ options })];
    const client = await b.client('acme', { connectionId: 'phone' });
    expect(await a.bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
    await expectResumed(a, b, client);
    await admin.call('CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    await eventually('it is kept', async () => {
      const { position } = await a.bus.pushToAccount('acme', 'chat:n', 3);
      return position !== undefined;
    });
    expect(await admin.call('ACL', ['LOG'])).toEqual([]);
    expect(await a.get(PresenceStore).count()).toEqual({ accounts: 1, connections: 1 });
    expect(await a.get(PresenceStore).accounts()).toEqual({ accounts: ['acme'] });
    await client.close();
    await closeLoopApps();
    await admin.call('ACL', ['SETUSER', 'loopws', '-subscribe']);
    await expect(startLoopApp({ options })).rejects.toThrow(
      /cannot be used: .*NOPERM.*'subscribe'/,
    );
    admin.disconnect();
  });

  it('the rights that the documentation names are enough in a Cluster', async () => {
    const documented = await readFile('docs/operations.md', 'utf8');
    const [always, inCluster] = [...documented.matchAll(/ACL SETUSER loopws (.*)/g)];
    const rules = `${always![1]} ${inCluster![1]}`.replace('>PASSWORD', '>pw').split(' ');
    for (const master of cluster.masters) {
      await master.command('ACL', 'SETUSER', 'loopws', ...rules);
    }
    const redisOptions = { username: 'loopws', password: 'pw' };
    const options = { redis: { ...cluster.options, redisOptions }, services: DURABLE };
    const [a, b] = [await startLoopApp({ options }), await startLoopApp({ options })];
    const client = await b.client('acme', { connectionId: 'phone' });
    expect(await a.bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
    await expectResumed(a, b, client);
    expect(await a.get(PresenceStore).accounts()).toEqual({ accounts: ['acme'] });
    for (const master of cluster.masters) expect(await master.command('ACL', 'LOG')).toEqual([]);
  });

  it('a Redis that is not there stops the boot within the configured time', async () => {
    const options = {
      redis: `redis://127.0.0.1:${await freePort()}`,
      config: { redisConnectTimeoutMs: 1_000 },
    };
    await expect(startLoopApp({ options })).rejects.toThrow(/cannot be used: .*ECONNREFUSED/);
  });

  it('a wrong password stops the boot at once', async () => {
    const options = { redis: `redis://:wrong@127.0.0.1:${redis.port}` };
    await expect(startLoopApp({ options })).rejects.toThrow(/cannot be used: WRONGPASS/);
  });

  it.each([
    ['a text without a scheme', 'localhost:6379', /option "redis" is "localhost:6379"; it must be/],
    ['a number', 6379, /option "redis" is 6379/],
  ])('%s is refused', async (_what, value, message) => {
    const options = { redis: value as string };
    await expect(startLoopApp({ options })).rejects.toThrow(message);
  });

  it('a namespace with signs that keys may not have is refused', async () => {
    const options = { redis: withPassword(), namespace: 'a{b}' };
    await expect(startLoopApp({ options })).rejects.toThrow(/option "namespace" is "a{b}"/);
  });
});

const DURABLE = { chat: { history: { size: 10, ttlMs: 60_000 } } };

/** What is pushed while the client is away is there when it is back. */
async function expectResumed(
  publisher: LoopApp,
  server: LoopApp,
  client: LoopTestClient,
): Promise<void> {
  await publisher.bus.pushToAccount('acme', 'chat:n', 2);
  const { positions } = client.welcome;
  await client.close();
  const back = await server.client('acme', { connectionId: 'phone', query: { resume: '1' } });
  const answer = await back.ask({ op: 'subscribe', patterns: [], since: positions });
  expect(answer).toMatchObject({ resumed: { account: 2 }, reset: {} });
}
