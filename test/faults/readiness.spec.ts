import { LoopTransport, PresenceStore } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { faultTest, isWhole } from '../support/fault-test.js';
import type { LoopApp } from '../support/loop-app.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { startRedis } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const { startServer } = faultTest();

const isLive = (server: LoopApp): boolean => server.get(LoopTransport).isLive;

describe('LoopTransport.isLive', () => {
  it('P5: tells the server that lost Redis from one that has it, and says when the bus is whole again', async () => {
    const redis = await startRedis();
    const proxy = await TcpProxy.start(redis.port);
    const cut = await startServer('cut', `redis://127.0.0.1:${proxy.port}`);
    const other = await startServer('other', redis.url);
    await other.client('acme');
    expect([isLive(cut), isLive(other)]).toEqual([true, true]);
    proxy.blackHole();
    await eventually('the black hole is noticed', () => !isLive(cut));
    expect(isLive(other)).toBe(true);
    proxy.heal();
    await eventually('it is live again', () => isLive(cut));
    expect(await isWhole(cut)).toBe(true);
    await redis.kill();
    await eventually('the outage is noticed', () => !isLive(cut) && !isLive(other));
    await redis.start();
    await eventually('both are live again', () => isLive(cut) && isLive(other));
    await eventually('the bus is whole', async () => (await isWhole(cut)) && isWhole(other));
    await cut.close();
    expect(isLive(cut)).toBe(false);
  });

  it('P5: is false while commands reach Redis and only what others push does not arrive', async () => {
    const redis = await startRedis();
    const proxy = await TcpProxy.start(redis.port);
    const server = await startServer('a', `redis://127.0.0.1:${proxy.port}`);
    proxy.refuse();
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually('it is noticed', () => !isLive(server));
    expect(await server.get(PresenceStore).count()).toEqual({ accounts: 0, connections: 0 });
  });

  it('P5: is false when one master of several is gone, for its topics cannot be pushed to', async () => {
    const cluster = await startRedisCluster(3, false);
    const server = await startServer('a', cluster.options);
    expect(isLive(server)).toBe(true);
    await cluster.masters[1]!.kill();
    await eventually('the outage is noticed', () => !isLive(server));
  }, 60_000);
});
