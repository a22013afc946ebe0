import { PresenceStore } from '../../lib/index.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';

/** Nothing but pushes happens within a test. */
const QUIET = { serverBeatMs: 60_000, serverTimeoutMs: 180_000 };

let redis: RedisServer;
beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  await closeLoopApps();
  endRedisServers();
});

const startServer = (): Promise<LoopApp> =>
  startLoopApp({ options: { redis: redis.url, config: QUIET } });

/** What Redis did while `work` ran: its commands by name, and the bytes that it sent. */
async function trafficOf(work: () => Promise<unknown>): Promise<{
  commands: Record<string, number>;
  bytesOut: number;
}> {
  await redis.command('CONFIG', 'RESETSTAT');
  await work();
  const stats = await redis.command<string>('INFO', 'commandstats');
  const counted = [...stats.matchAll(/cmdstat_(publish|pubsub\|numsub):calls=(\d+)/g)];
  const sent = await redis.command<string>('INFO', 'stats');
  return {
    commands: Object.fromEntries(counted.map(([, name, calls]) => [name, Number(calls)])),
    bytesOut: Number(/total_net_output_bytes:(\d+)/.exec(sent)![1]),
  };
}

describe('what a push costs Redis', () => {
  it('P8: to one account it is the same with 2 and with 6 servers', async () => {
    const [a, b] = [await startServer(), await startServer()];
    await b.client('acme', { connectionId: 'phone' });
    const push = (): Promise<unknown> => a.bus.pushToConnection('acme', 'phone', 'chat:n', 1);
    await push();
    const withTwo = await trafficOf(push);
    for (let more = 0; more < 4; more++) await startServer();
    const withSix = await trafficOf(push);
    expect(withTwo.commands).toEqual({ publish: 2, 'pubsub|numsub': 2 }); // the push and its reply
    expect(withSix.commands).toEqual(withTwo.commands);
    expect(Math.abs(withSix.bytesOut - withTwo.bytesOut)).toBeLessThan(100); // the statistics differ in digits
  });

  it('pushes of one turn share the count of who can hear', async () => {
    const [a, b] = [await startServer(), await startServer()];
    await b.client('acme', { connectionId: 'phone' });
    const push = (): Promise<unknown> => a.bus.pushToConnection('acme', 'phone', 'chat:n', 1);
    const { commands } = await trafficOf(() => Promise.all(Array.from({ length: 20 }, push)));
    expect(commands['pubsub|numsub']).toBe(2);
    expect(commands['publish']).toBe(21); // the replies left together
  });

  it('without a receipt it is one command, and nobody replies', async () => {
    const [a, b] = [await startServer(), await startServer()];
    const client = await b.client('acme');
    const { commands } = await trafficOf(async () => {
      await a.bus.pushToAccount('acme', 'chat:n', 'no receipt', { receipt: false });
      expect(await client.next('chat:n')).toBe('no receipt');
      await b.get(PresenceStore).count(); // a reply would have left before it
    });
    expect(commands).toEqual({ publish: 1 });
  });
});
