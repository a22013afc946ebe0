import type { PushReport } from '../../lib/index.js';
import { faultTest, healed } from '../support/fault-test.js';
import type { LoopApp } from '../support/loop-app.js';
import { PushLedger } from '../support/push-ledger.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** More than a slow link takes, on a busy machine too. */
const PATIENT = { redisCommandTimeoutMs: 4_000, receiptTimeoutMs: 3_000 };

const { edges, startServer } = faultTest();
let redis: RedisServer;

beforeEach(async () => {
  redis = await startRedis();
});

interface Servers {
  readonly near: LoopApp;
  readonly far: LoopApp;
  /** From now on the way from `far` to Redis takes this long, and as long back. */
  readonly slowDown: (latencyMs: number) => void;
}

async function servers(config: object): Promise<Servers> {
  const proxy = await TcpProxy.start(redis.port);
  const far = await startServer('far', `redis://127.0.0.1:${proxy.port}`, { config });
  const near = await startServer('near', redis.url, { config });
  return { near, far, slowDown: (latencyMs) => proxy.slowDown(latencyMs) };
}

/** The connections of servers: a new one would have a new number. */
async function connections(): Promise<string[]> {
  const list = await redis.command<string>('CLIENT', 'LIST');
  return list
    .split('\n')
    .flatMap((line) => /^id=(\d+) .*name= .*cmd=(?!client)/.exec(line)?.[1] ?? []);
}

describe('a slow way to Redis', () => {
  it.each([50, 150])(
    'P1, P5: %i ms each way: everything is delivered in order and known to be, on the first connections',
    async (latencyMs) => {
      const { near, far, slowDown } = await servers(PATIENT);
      slowDown(latencyMs);
      const onFar = await far.client('acme', { connectionId: 'far', timeoutMs: 10_000 });
      const onNear = await near.client('acme', { connectionId: 'near' });
      await Promise.all([healed(near, 'far'), healed(far, 'near')]);
      const before = await connections();
      const ledgers = [new PushLedger(near, 'near', onFar), new PushLedger(far, 'far', onNear)];
      for (const ledger of ledgers) ledger.pushEvery(5);
      for (let burst = 0; burst < 5; burst++) {
        await Promise.all(ledgers.map((ledger) => ledger.burst(100)));
      }
      for (const ledger of ledgers) {
        await ledger.settled();
        expect(ledger.lies).toEqual([]);
        expect(ledger.count('unknown')).toBe(0);
      }
      expect(await connections()).toEqual(before);
      expect(edges).toEqual(['+acme']);
    },
    30_000,
  );

  it('P6: what does not fit into the window is refused at once and never sent', async () => {
    const { near, far, slowDown } = await servers({
      redisMaxInFlight: 2_048,
      redisCommandTimeoutMs: 10_000,
      receiptTimeoutMs: 10_000, // so that nothing is unknown but what was refused
    });
    const onNear = await near.client('acme', { connectionId: 'near' });
    await healed(far, 'near');
    slowDown(250);
    const ledger = new PushLedger(far, 'far', onNear);
    const inOrder: string[] = [];
    await Promise.all(Array.from({ length: 3_000 }, async () => inOrder.push(await ledger.push())));
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    expect(ledger.count('unknown')).toBeGreaterThanOrEqual(3_000 - 2_048);
    expect(inOrder.lastIndexOf('unknown')).toBeLessThan(inOrder.indexOf('delivered'));
    expect(ledger.arrived).toHaveLength(ledger.count('delivered'));
    expect(ledger.count('delivered')).toBeGreaterThan(1_500);
    expect(await ledger.push()).toBe('delivered');
  }, 30_000);

  it('P5: slower than the receipt may be: unknown in time, delivered all the same, no new connection', async () => {
    const { near, far, slowDown } = await servers({ ...PATIENT, receiptTimeoutMs: 200 });
    const onFar = await far.client('acme', { connectionId: 'far', timeoutMs: 10_000 });
    await healed(near, 'far');
    slowDown(500);
    const ledger = new PushLedger(near, 'near', onFar);
    const before = await connections();
    expect(new Set(await ledger.burst(100))).toEqual(new Set(['unknown']));
    expect(ledger.arrived).toEqual([]);
    await onFar.nextFrame('the last', (frame) => 'data' in frame && Object(frame.data).n === 100);
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    expect(ledger.arrived).toHaveLength(100);
    expect(await connections()).toEqual(before);
  }, 30_000);

  it('P1: a server that unsubscribes answers for what is still on its way to it', async () => {
    const { near, far, slowDown } = await servers({ ...PATIENT, topicLingerMs: 0 });
    const onFar = await far.client('acme');
    slowDown(100);
    const subscribed = (): Promise<string[]> => redis.command('PUBSUB', 'CHANNELS', '*:a:acme');
    expect(await subscribed()).toHaveLength(1);
    await onFar.close();
    const reports: Promise<PushReport>[] = [];
    while ((await subscribed()).length > 0) {
      reports.push(near.bus.pushToAccount('acme', 'chat:n', 0));
    }
    const complete = (await Promise.all(reports)).map((report) => report.complete);
    expect(new Set(complete)).toEqual(new Set([true]));
  }, 30_000);
});
