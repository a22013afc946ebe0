import { PresenceStore } from '../../lib/index.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';

/** Nothing but pushes happens within a test. */
const QUIET = { serverBeatMs: 60_000, serverTimeoutMs: 180_000 };

/** It also counts who can hear. */
const ONE_SCRIPT = { eval: 1, 'pubsub|numsub': 1 };

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
  const counted = [...stats.matchAll(/cmdstat_(eval|publish|pubsub\|numsub):calls=(\d+)/g)];
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
    expect(withTwo.commands).toEqual({ ...ONE_SCRIPT, publish: 2 }); // the push and its reply
    expect(withSix.commands).toEqual(withTwo.commands);
    expect(Math.abs(withSix.bytesOut - withTwo.bytesOut)).toBeLessThan(100); // the statistics differ in digits
  });

  it('P8: pushes of one turn to one account travel as one, and so do their replies', async () => {
    const [a, b] = [await startServer(), await startServer()];
    await b.client('acme', { connectionId: 'phone' });
    const push = (): Promise<unknown> => a.bus.pushToConnection('acme', 'phone', 'chat:n', 1);
    const { commands } = await trafficOf(async () => {
      const results = await Promise.all(Array.from({ length: 20 }, push));
      expect(new Set(results)).toEqual(new Set(['delivered']));
    });
    expect(commands).toEqual({ ...ONE_SCRIPT, publish: 2 });
  });

  it('P8: pushes of one turn to many accounts are one command', async () => {
    const [a, b] = [await startServer(), await startServer()];
    const accounts = Array.from({ length: 20 }, (_, at) => `account-${at}`);
    for (const account of accounts) await b.client(account);
    const { commands } = await trafficOf(async () => {
      const reports = await Promise.all(
        accounts.map((account) => a.bus.pushToAccount(account, 'chat:n', 1)),
      );
      expect(reports.map(({ delivered }) => delivered)).toEqual(accounts.map(() => 1));
    });
    expect(commands).toEqual({ ...ONE_SCRIPT, publish: 21 });
  });

  it('P8: pushes of one turn to a channel, without a receipt, are one command', async () => {
    const [a, b] = [await startServer(), await startServer()];
    const client = await b.client('acme');
    const { commands } = await trafficOf(async () => {
      for (let n = 0; n < 20; n++) void a.bus.pushToChannel('chat:n', n, { receipt: false });
      for (let n = 0; n < 20; n++) expect(await client.next('chat:n')).toBe(n);
    });
    expect(commands).toEqual({ publish: 1 });
  });

  it('P8: without a receipt it is one command, and nobody replies', async () => {
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
