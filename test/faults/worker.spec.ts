import { EventBus, PresenceStore } from '../../lib/index.js';
import { LoopTestClient } from '../../lib/testing/index.js';
import { eventually } from '../support/eventually.js';
import { QUICK } from '../support/fault-test.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';
import {
  buildLibrary,
  killServerProcesses,
  runWorkerProcess,
  ServerProcess,
} from '../support/server-processes.js';
import { closeWorkers, startWorker } from '../support/workers.js';

const PROMISED_MS = 8_000;
const edges: string[] = [];

let redis: RedisServer;

beforeAll(() => buildLibrary(), 120_000);

beforeEach(async () => {
  edges.length = 0;
  redis = await startRedis();
});

afterEach(async () => {
  killServerProcesses();
  await closeWorkers();
  await closeLoopApps();
  endRedisServers();
});

const connect = (server: ServerProcess, token: string): Promise<LoopTestClient> =>
  LoopTestClient.connect(`ws://127.0.0.1:${server.port}`, { token, path: '/ws' });

describe('a worker that outlives a server which is killed with kill -9', () => {
  it('P7: leaves its accounts to another server, which reports each once within 8 s', async () => {
    const victim = await ServerProcess.start('victim', redis.url, edges);
    const worker = await startWorker({ redis: redis.url });
    await ServerProcess.start('other', redis.url, edges);
    await Promise.all(['acme', 'beta'].map((account) => connect(victim, account)));
    victim.kill();
    await eventually('both are offline', () => edges.length === 4, PROMISED_MS);
    expect(edges.slice(2).toSorted()).toEqual(['-acme', '-beta']);
    expect(await worker.get(EventBus).pushToConnection('acme', 'any', 'chat:n', 1)).toBe(
      'not_connected',
    );
  }, 30_000);

  it('P7: when nobody else is left, it removes the ghosts and keeps their edge for the next server', async () => {
    const options = { config: { ...QUICK, presenceGraceMs: 0 } };
    const victim = await ServerProcess.start('victim', redis.url, edges, options);
    const worker = await startWorker({ redis: redis.url, ...options });
    const presence = worker.get(PresenceStore);
    await connect(victim, 'acme');
    expect(await presence.isOnline('acme')).toBe(true);
    victim.kill();
    await eventually('the ghost is gone', async () => !(await presence.isOnline('acme')));
    expect(await presence.count()).toEqual({ accounts: 0, connections: 0 });
    expect(edges).toEqual(['+acme']);
    await ServerProcess.start('next', redis.url, edges, options);
    await eventually('the edge is reported', () => edges.length === 2);
    expect(edges).toEqual(['+acme', '-acme']);
  }, 30_000);
});

describe('a worker in a process of its own', () => {
  it('pushes to clients of a server, closes, and ends by itself', async () => {
    const server = await startLoopApp({ options: { redis: redis.url } });
    const client = await server.client('acme');
    expect(await runWorkerProcess(redis.url, PROMISED_MS)).toMatchObject({
      delivered: 1,
      complete: true,
    });
    expect(await client.next('chat:n')).toBe('nightly');
    await eventually('the server stands alone', async () => {
      return (await redis.command<number>('ZCARD', '{lw}servers')) === 1;
    });
  }, 30_000);
});
