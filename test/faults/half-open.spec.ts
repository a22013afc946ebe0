import { eventually } from '../support/eventually.js';
import { faultTest, healed } from '../support/fault-test.js';
import type { LoopApp } from '../support/loop-app.js';
import { PushLedger } from '../support/push-ledger.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { TcpProxy, type Way } from '../support/tcp-proxy.js';

type Kind = 'pubsub' | 'normal';

/** However busy the machine, nobody is taken for dead before the connection is given up. */
const PATIENT = { config: { serverTimeoutMs: 20_000 } };

const { edges, startServer } = faultTest();
let redis: RedisServer;
let proxy: TcpProxy;
let a: LoopApp;
let b: LoopApp;

beforeEach(async () => {
  redis = await startRedis();
  proxy = await TcpProxy.start(redis.port);
  b = await startServer('b', `redis://127.0.0.1:${proxy.port}`, PATIENT);
});

/** The port that the one connection of this kind comes from. */
async function portOf(kind: Kind): Promise<number> {
  const list = await redis.command<string>('CLIENT', 'LIST', 'TYPE', kind);
  const ports = list.split('\n').filter((line) => line !== '' && !line.includes('cmd=client|list'));
  expect(ports).toHaveLength(1);
  return Number(/ addr=\S+:(\d+)/.exec(ports[0]!)![1]);
}

async function hasLeft(kind: Kind, port: number): Promise<boolean> {
  const list = await redis.command<string>('CLIENT', 'LIST', 'TYPE', kind);
  return !list.includes(` addr=127.0.0.1:${port} `);
}

describe('a connection to Redis that is open on one side only', () => {
  it.each<[what: string, kind: Kind, way: Way]>([
    ['events do not come', 'pubsub', 'down'],
    ['replies to commands do not come', 'normal', 'down'],
    ['commands do not leave', 'normal', 'up'],
  ])(
    'P5, P6: %s: noticed and replaced, and no result is wrong meanwhile',
    async (_what, kind, way) => {
      const port = await portOf(kind);
      a = await startServer('a', redis.url, PATIENT);
      const onB = await b.client('acme', { connectionId: 'b' });
      const onA = await a.client('acme', { connectionId: 'a' });
      await Promise.all([healed(a, 'b'), healed(b, 'a')]);
      const ledgers = [new PushLedger(a, 'a', onB), new PushLedger(b, 'b', onA)];
      for (const ledger of ledgers) ledger.pushEvery(5);
      proxy.halfOpen(way, port);
      await eventually('the connection is given up', () => hasLeft(kind, port));
      await Promise.all([healed(a, 'b'), healed(b, 'a')]);
      for (const ledger of ledgers) {
        await ledger.settled();
        expect(ledger.lies).toEqual([]);
        expect(await ledger.push()).toBe('delivered');
      }
      // Which of the two it costs a result depends on what was lost.
      const unknown = ledgers.map((ledger) => ledger.count('unknown'));
      expect(Math.max(...unknown)).toBeGreaterThan(0);
      expect(edges).toEqual(['+acme']);
    },
  );

  it('P5: subscriptions do not leave: who connects is welcomed on a new connection, and hears', async () => {
    const port = await portOf('pubsub');
    a = await startServer('a', redis.url, PATIENT);
    await b.client('acme', { connectionId: 'b' });
    await healed(a, 'b');
    proxy.halfOpen('up', port);
    const late = await b.client('late', { connectionId: 'l' });
    expect(await a.bus.pushToConnection('late', 'l', 'chat:n', 1)).toBe('delivered');
    expect(await late.next('chat:n')).toBe(1);
    expect(await hasLeft('pubsub', port)).toBe(true);
    await healed(a, 'b');
    expect(edges).toEqual(['+acme', '+late']);
  });
});
