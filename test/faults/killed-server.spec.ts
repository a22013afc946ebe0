import { PresenceStore } from '../../lib/index.js';
import { LoopTestClient } from '../../lib/testing/index.js';
import { edgeLog } from '../support/edge-log.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';
import { buildLibrary, killServerProcesses, ServerProcess } from '../support/server-processes.js';

const ACCOUNTS = 2_000;
const AT_ONCE = 100;
const PROMISED_MS = 8_000;

let redis: RedisServer;

beforeAll(async () => {
  [redis] = await Promise.all([startRedis(), buildLibrary()]);
}, 120_000);

afterAll(async () => {
  killServerProcesses();
  await closeLoopApps();
  endRedisServers();
});

const connect = (server: ServerProcess, token: string): Promise<LoopTestClient> =>
  LoopTestClient.connect(`ws://127.0.0.1:${server.port}`, { token, path: '/ws' });

describe('a server of several that is killed with kill -9', () => {
  it('P7: each of its accounts is reported offline once within 8 s, and nobody else', async () => {
    const edges: string[] = [];
    const [victim, other] = await Promise.all(
      ['victim', 'other', 'third'].map((id) => ServerProcess.start(id, redis.url, edges)),
    );
    const observer = await startLoopApp({
      providers: [edgeLog(edges)],
      options: { redis: redis.url, services: ['chat'], defaultSubscriptions: ['*:*'] },
    });
    const accounts = Array.from({ length: ACCOUNTS }, (_, index) => `account-${index}`);
    for (let at = 0; at < ACCOUNTS; at += AT_ONCE) {
      const some = accounts.slice(at, at + AT_ONCE);
      await Promise.all(some.map((account) => connect(victim!, account)));
    }
    await connect(victim!, 'elsewhere-too');
    const survivor = await connect(other!, 'elsewhere-too');
    const presence = observer.get(PresenceStore);
    expect(await presence.count()).toEqual({ accounts: ACCOUNTS + 1, connections: ACCOUNTS + 2 });

    const killedAt = performance.now();
    victim!.kill();
    const offline = (): string[] => edges.filter((edge) => edge.startsWith('-'));
    await eventually('every account is offline', () => offline().length >= ACCOUNTS, PROMISED_MS);
    expect(performance.now() - killedAt).toBeLessThan(PROMISED_MS);
    await eventually('nothing is left', async () => (await presence.count()).connections === 1);

    expect(offline().toSorted()).toEqual(accounts.map((account) => `-${account}`).toSorted());
    expect(await presence.connectionsOf('elsewhere-too')).toHaveLength(1);
    expect(await observer.bus.pushToAccount('elsewhere-too', 'chat:n', 1)).toMatchObject({
      delivered: 1,
      complete: true,
    });
    expect(await survivor.next('chat:n')).toBe(1);
    expect(await observer.bus.pushToConnection('account-0', 'any', 'chat:n', 1)).toBe(
      'not_connected',
    );
  }, 60_000);
});
