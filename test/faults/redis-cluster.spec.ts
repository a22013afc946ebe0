import { type ConnectionPushResult, PresenceStore } from '../../lib/index.js';
import type { LoopTestClient } from '../../lib/testing/index.js';
import { eventually } from '../support/eventually.js';
import { faultTest } from '../support/fault-test.js';
import type { LoopApp } from '../support/loop-app.js';
import { moveSlots, type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';

const { edges, startServer } = faultTest();

/** Enough to be on every master. */
const ACCOUNTS = Array.from({ length: 24 }, (_, at) => `account-${at}`);

const HEALED_MS = 15_000;

let redis: RedisCluster;
let pusher: LoopApp;
let server: LoopApp;
const clients = new Map<string, LoopTestClient>();

beforeEach(async () => {
  redis = await startRedisCluster();
  const options = { config: { redisSlotsRefreshMs: 200 } };
  pusher = await startServer('pusher', redis.options, options);
  server = await startServer('server', redis.options, options);
  for (const account of ACCOUNTS) {
    clients.set(account, await server.client(account, { connectionId: 'phone' }));
  }
}, 60_000);

describe('a Redis Cluster that changes under a running bus', () => {
  it('P1, P5, P7: a master is killed: its replica takes over, and nobody notices but for honest results', async () => {
    const pushes = pushNumbers();
    await pushes.until(allDelivered);
    await redis.masters[1]!.kill();
    await pushes.until(someUnknown);
    await pushes.until(allDelivered);
    await expectTruth(await pushes.stop());
    await expectPresence();
  }, 60_000);

  it('P1, P5, P7: masters and replicas change places', async () => {
    const pushes = pushNumbers();
    await pushes.until(allDelivered);
    for (const replica of redis.replicas) await replica.command('CLUSTER', 'FAILOVER');
    await eventually('the replicas are masters', async () => {
      const roles = redis.replicas.map((replica) => replica.command<[string]>('ROLE'));
      return (await Promise.all(roles)).every(([role]) => role === 'master');
    });
    await pushes.until(allDelivered);
    for (const old of redis.masters) await old.kill();
    await pushes.until(allDelivered);
    await expectTruth(await pushes.stop());
    await expectPresence();
  }, 60_000);

  it('P1, P5, P7: slots move to another master', async () => {
    const pushes = pushNumbers();
    await pushes.until(allDelivered);
    await moveSlots(redis.masters[0]!, redis.masters[2]!, redis);
    await pushes.until(allDelivered);
    await expectTruth(await pushes.stop());
    await expectPresence();
  }, 60_000);

  it('P7: a master that lost its data gets the registrations again, without an edge', async () => {
    await redis.masters[1]!.command('FLUSHALL');
    const fresh = await server.client('fresh');
    await expectPresence(1);
    await fresh.close();
    await eventually('the fresh account is offline', () => edges.includes('-fresh'));
    expect(edges.filter((edge) => edge.endsWith('fresh'))).toEqual(['+fresh', '-fresh']);
  }, 60_000);
});

type Round = readonly ConnectionPushResult[];
const allDelivered = (round: Round): boolean => round.every((result) => result === 'delivered');
const someUnknown = (round: Round): boolean => round.includes('unknown');

/** What each account's pushes came to; the index is the number that was pushed. */
type Results = ReadonlyMap<string, readonly ConnectionPushResult[]>;

/** Pushes rising numbers to every account, round after round, until it is stopped. */
function pushNumbers(): {
  until(holds: (round: Round) => boolean): Promise<void>;
  stop(): Promise<Results>;
} {
  const results = new Map<string, ConnectionPushResult[]>(ACCOUNTS.map((account) => [account, []]));
  const stopping = new AbortController();
  let last: Round = [];
  const work = (async () => {
    for (let number = 0; !stopping.signal.aborted; number++) {
      const round = ACCOUNTS.map(async (account) => {
        const result = await pusher.bus.pushToConnection(account, 'phone', 'chat:n', number);
        results.get(account)!.push(result);
        return result;
      });
      last = await Promise.all(round);
      await new Promise((resolve) => setTimeout(resolve, 5)); // a steady flow, not a flood
    }
  })();
  return {
    async until(holds) {
      last = [];
      await eventually('a round of pushes', () => last.length > 0 && holds(last), HEALED_MS);
    },
    async stop() {
      stopping.abort();
      await work;
      return results;
    },
  };
}

/** Never `not_connected`; what is `delivered` arrived; nothing arrived twice or before something older. */
async function expectTruth(results: Results): Promise<void> {
  for (const [account, outcomes] of results) {
    const client = clients.get(account)!;
    await client.ask({ op: 'ping' });
    const arrived = client.frames.flatMap((frame) =>
      'data' in frame ? [frame.data as number] : [],
    );
    expect(arrived).toEqual([...new Set(arrived)].toSorted((a, b) => a - b));
    const delivered = outcomes.flatMap((result, number) =>
      result === 'delivered' ? [number] : [],
    );
    expect(arrived).toEqual(expect.arrayContaining(delivered));
    expect(new Set(outcomes)).toEqual(new Set(outcomes.filter(isHonest)));
  }
}

const isHonest = (result: ConnectionPushResult): boolean =>
  result === 'delivered' || result === 'unknown';

/** Everybody is registered once, and nobody was reported as gone. */
async function expectPresence(others = 0): Promise<void> {
  const all = ACCOUNTS.length + others;
  const expected = { accounts: all, connections: all };
  await eventually(
    'presence is whole',
    async () => {
      const count = await pusher.get(PresenceStore).count();
      return count.accounts === expected.accounts && count.connections === expected.connections;
    },
    HEALED_MS,
  );
  expect(edges.filter((edge) => edge.startsWith('-'))).toEqual([]);
}
