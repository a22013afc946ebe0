import { setImmediate as turn } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { faultTest, healed } from '../support/fault-test.js';
import { PushLedger } from '../support/push-ledger.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const CUTS = 10;

/** The publishers leave a busy machine little time. */
const HEALED_MS = 20_000;

const { startServer } = faultTest();
let redis: RedisServer;

beforeEach(async () => {
  redis = await startRedis();
});

describe('the order of two publishers across servers', () => {
  it.each(['pubsub', 'normal'])(
    'P1, P2, P5: bursts while connections of type %s are cut: in order, once, and what is reported is true',
    async (type) => {
      const [a, b] = [await startServer('a', redis.url), await startServer('b', redis.url)];
      const c = await startServer('c', redis.url);
      const onC = await c.client('acme', { connectionId: 'c' });
      await Promise.all([healed(a, 'c'), healed(b, 'c')]);
      const ledgers = [new PushLedger(a, 'a', onC), new PushLedger(b, 'b', onC)];
      const end = new AbortController();
      const publishing = ledgers.map(async (ledger) => {
        while (!end.signal.aborted) {
          void ledger.burst(20);
          await turn();
        }
      });
      for (let cut = 0; cut < CUTS; cut++) {
        await redis.command('CLIENT', 'KILL', 'TYPE', type);
        await Promise.all([healed(a, 'c', HEALED_MS), healed(b, 'c', HEALED_MS)]);
      }
      end.abort();
      await Promise.all(publishing);
      for (const ledger of ledgers) {
        await eventually('it delivers', async () => (await ledger.push()) === 'delivered');
        await ledger.settled();
        expect(ledger.lies).toEqual([]);
        expect(ledger.count('delivered')).toBeGreaterThan(CUTS);
        expect(ledger.count('unknown')).toBeGreaterThan(0);
      }
    },
    90_000,
  );

  it('P1: what waited on a connection that was given up does not come after what was pushed later', async () => {
    const [a, c] = [await startServer('a', redis.url), await startServer('c', redis.url)];
    const onC = await c.client('acme', { connectionId: 'c' });
    await healed(a, 'c');
    const ledger = new PushLedger(a, 'a', onC);
    redis.pause();
    expect(new Set(await ledger.burst(2_000, 'x'.repeat(4_000)))).toEqual(new Set(['unknown']));
    await eventually('the connection is given up', async () => {
      const report = await a.bus.pushToAccount('acme', 'chat:probe', 0);
      return !report.complete && report.why === 'unavailable';
    });
    ledger.pushEvery(1);
    redis.resume();
    await healed(a, 'c');
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    expect(ledger.count('delivered')).toBeGreaterThan(0);
  }, 30_000);
});
