import { PresenceStore } from '../../lib/index.js';
import { LoopTestClient } from '../../lib/testing/index.js';
import { edgeLog } from '../support/edge-log.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';
import { buildLibrary, killServerProcesses, ServerProcess } from '../support/server-processes.js';

const PROMISED_MS = 8_000;
const HOUR_MS = 3_600_000;
const ACCOUNTS = Array.from({ length: 200 }, (_, index) => `account-${index}`);

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

describe('a server of several that stands still for so long that it is taken for dead', () => {
  it('P7: its accounts go offline and come back once each, with clocks that differ and a name used twice', async () => {
    const edges: string[] = [];
    const [paused, other] = await Promise.all([
      ServerProcess.start('twin', redis.url, edges),
      ServerProcess.start('twin', redis.url, edges, { clockOffMs: HOUR_MS }),
    ]);
    const observer = await startLoopApp({
      providers: [edgeLog(edges)],
      options: { redis: redis.url, config: { presenceGraceMs: 3_000 } },
    });
    const presence = observer.get(PresenceStore);
    const clients = await Promise.all(ACCOUNTS.map((account) => connect(paused, account)));
    clients.push(await connect(paused, 'elsewhere-too'), await connect(other, 'elsewhere-too'));
    const all = { accounts: ACCOUNTS.length + 1, connections: ACCOUNTS.length + 2 };
    expect(await presence.count()).toEqual(all);
    await eventually('all are online', () => edges.length === all.accounts);

    paused.pause();
    await eventually('all are offline', () => edges.length > 2 * ACCOUNTS.length, PROMISED_MS);
    expect(await presence.count()).toEqual({ accounts: 1, connections: 1 });
    paused.resume();
    await eventually('all are back', () => edges.length > 3 * ACCOUNTS.length);
    await eventually('they are there once', async () => {
      return (await presence.count()).connections === all.connections;
    });
    expect(await presence.count()).toEqual(all);

    await Promise.all(clients.map((client) => client.close()));
    await eventually('all have left', () => edges.length >= 4 * ACCOUNTS.length + 2);
    expect(await presence.count()).toEqual({ accounts: 0, connections: 0 });
    for (const account of ACCOUNTS) {
      const sequence = edges.filter((edge) => edge.slice(1) === account).map((edge) => edge[0]);
      expect(sequence).toEqual(['+', '-', '+', '-']);
    }
    const elsewhere = edges.filter((edge) => edge.endsWith('elsewhere-too'));
    expect(elsewhere).toEqual(['+elsewhere-too', '-elsewhere-too']);
    const left = await redis.command<string[]>('KEYS', '*}lw:[cos]*');
    expect(left).toEqual([]);
  }, 60_000);
});
