import { ConnectionRegistry } from '../../lib/index.js';
import { comeBack, dataOf, subscribe } from '../support/durable-client.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';

const services = { chat: { history: { size: 100, ttlMs: 60_000 } } };
const UNKNOWN = { delivered: 0, complete: false, why: 'unanswered' };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
}, 60_000);
afterAll(endRedisServers);

let server: LoopApp;
afterEach(closeLoopApps);

describe.each([
  ['memory', () => ({})],
  ['Redis', () => ({ redis: redis.url })],
])('what became of a durable push in %s', (_store, storeOf) => {
  beforeEach(async () => {
    const defaultSubscriptions = ['chat:*'] as const;
    server = await startLoopApp({ options: { services, defaultSubscriptions, ...storeOf() } });
  });

  it('P5: is not known of a client that has still to say where it was, for it gets it then', async () => {
    const client = await comeBack(server);
    expect(await server.bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('unknown');
    expect(await server.bus.pushToAccount('acme', 'chat:n', 2)).toMatchObject(UNKNOWN);
    await subscribe(client, {});
    expect(await server.bus.pushToConnection('acme', 'phone', 'chat:n', 3)).toBe('delivered');
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([1, 2, 3]);
  });

  it('P5: is not known of a repetition, whose position is that of the first', async () => {
    const client = await server.client('acme', { connectionId: 'phone' });
    const options = { id: 'x' };
    const result = () => server.bus.pushToConnection('acme', 'phone', 'chat:n', 1, options);
    expect([await result(), await result()]).toEqual(['delivered', 'unknown']);
    const first = await server.bus.pushToAccount('acme', 'chat:n', 2, options);
    const second = await server.bus.pushToAccount('acme', 'chat:n', 2, options);
    expect(first).toMatchObject({ delivered: 1, complete: true });
    expect(second).toMatchObject({ ...UNKNOWN, position: first.position });
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([1, 2]);
  });

  it('P5: is whole for those that were not meant, and for nobody', async () => {
    await server.client('acme', { connectionId: 'phone' });
    server.get(ConnectionRegistry).get('acme', 'phone')!.unsubscribe('chat:*');
    expect(await server.bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('filtered');
    expect(await server.bus.pushToConnection('acme', 'tablet', 'chat:n', 1)).toBe('not_connected');
  });
});
