import { setTimeout as delay } from 'node:timers/promises';
import { PresenceStore } from '../../lib/index.js';
import { LoopTestClient } from '../../lib/testing/index.js';
import { eventually } from '../support/eventually.js';
import { faultTest, healed } from '../support/fault-test.js';
import type { LoopApp } from '../support/loop-app.js';
import { PushLedger } from '../support/push-ledger.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { buildLibrary, killServerProcesses, ServerProcess } from '../support/server-processes.js';

const BLOCKED_MS = 5_000;

/** As it is by default. */
const USUAL = {
  serverBeatMs: 1_000,
  serverTimeoutMs: 6_500,
  redisCommandTimeoutMs: 2_000,
  receiptTimeoutMs: 1_000,
};

const { edges, startServer } = faultTest();
const theirEdges: string[] = [];
let redis: RedisServer;
let here: LoopApp;
let busy: ServerProcess;
let busyMember: string;
let client: LoopTestClient;

beforeAll(buildLibrary, 120_000);

beforeEach(async () => {
  theirEdges.length = 0;
  redis = await startRedis();
  busy = await ServerProcess.start('busy', redis.url, theirEdges);
  [busyMember] = await redis.command<[string]>('ZRANGE', '{lw}servers', 0, -1);
  here = await startServer('here', redis.url, { config: USUAL });
  client = await LoopTestClient.connect(`ws://127.0.0.1:${busy.port}`, {
    token: 'acme',
    path: '/ws',
    connectionId: 'b',
    timeoutMs: 10_000,
  });
  await healed(here, 'b');
}, 30_000);

afterEach(killServerProcesses);

async function subscribedConnections(): Promise<string[]> {
  const list = await redis.command<string>('CLIENT', 'LIST', 'TYPE', 'pubsub');
  return [...list.matchAll(/^id=(\d+) /gm)].map(([, id]) => id!);
}

/** A block that begins right after a beat leaves the whole of `serverTimeoutMs` for it and the next beat. */
async function busyHasBeaten(): Promise<void> {
  const beat = () => redis.command('ZSCORE', '{lw}servers', busyMember);
  const before = await beat();
  await eventually('a beat', async () => (await beat()) !== before);
}

describe('a server whose event loop is blocked', () => {
  it('P5, P7: for 5 s, by default timings: nobody takes it for dead, and it is whole again', async () => {
    const ledger = new PushLedger(here, 'here', client);
    const connections = await subscribedConnections();
    await busyHasBeaten();
    await busy.block(BLOCKED_MS);
    const blockedAt = performance.now();
    expect(await ledger.push()).toBe('unknown');
    ledger.pushEvery(100);
    await eventually('it answers again', async () => (await ledger.push()) === 'delivered', 8_000);
    expect(performance.now() - blockedAt).toBeGreaterThan(BLOCKED_MS - 1_000);
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    expect(await here.get(PresenceStore).count()).toEqual({ accounts: 1, connections: 1 });
    expect(await redis.command('ZCARD', '{lw}swept')).toBe(0);
    expect(await subscribedConnections()).toEqual(connections);
    expect([...edges, ...theirEdges]).toEqual(['+acme']);
  }, 30_000);

  it('P5, P6: until Redis drops it for what it does not read: whole again on a new connection', async () => {
    await redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1mb 0 0');
    const ledger = new PushLedger(here, 'here', client);
    const connections = await subscribedConnections();
    await busy.block(3_000);
    const padding = 'x'.repeat(200_000);
    await eventually(
      'Redis has dropped it',
      async () => {
        await ledger.burst(20, padding);
        return (await subscribedConnections()).length < connections.length;
      },
      10_000,
    );
    await healed(here, 'b', 10_000);
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    expect(await ledger.push()).toBe('delivered');
    expect((await subscribedConnections()).filter((id) => connections.includes(id))).toHaveLength(
      1,
    );
    expect([...edges, ...theirEdges]).toEqual(['+acme']);
  }, 30_000);

  it('P5: a busy publisher does not take one who comes back between two of its turns for one who is not there', async () => {
    const ledger = new PushLedger(here, 'here', client);
    for (let cut = 0; cut < 20; cut++) {
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'no');
      for (let push = 0; push < 5; push++) {
        void ledger.push();
        await new Promise((resolve) => setImmediate(resolve));
        keepBusy(20);
        await delay(1);
      }
      await healed(here, 'b');
    }
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
  }, 30_000);
});

function keepBusy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
