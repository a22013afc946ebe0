import type { EventFrame, OkFrame, ServerFrame } from '../../lib/protocol/frames.js';
import type { LoopTestClient } from '../../lib/testing/index.js';
import { eventually } from '../support/eventually.js';
import { faultTest } from '../support/fault-test.js';
import type { LoopApp, LoopAppOptions } from '../support/loop-app.js';
import { upTo } from '../support/numbers.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { SentinelGroup } from '../support/sentinel-group.js';

const { startServer } = faultTest();
const SIZE = 50;
const HEALING_MS = 15_000;
const OPTIONS: LoopAppOptions = {
  services: { chat: { history: { size: SIZE, ttlMs: 60_000 } }, plain: {} },
  defaultSubscriptions: ['chat:*'],
};

let publisher: LoopApp;
let server: LoopApp;

const eventsOf = ({ frames }: LoopTestClient): EventFrame[] =>
  frames.filter((frame): frame is EventFrame => 'event' in frame);
const dataOf = (client: LoopTestClient): unknown[] => eventsOf(client).map(({ data }) => data);
const resetsOf = ({ frames }: LoopTestClient): ServerFrame[] =>
  frames.filter((frame) => frame.op === 'reset');

/** The events of an account and its resets, in order. */
const storyOf = ({ frames }: LoopTestClient): unknown[] =>
  frames.flatMap((frame) => {
    if ('event' in frame) return [frame.data];
    return frame.op === 'reset' && 'account' in frame.topics ? ['reset'] : [];
  });
async function startServers(redis: LoopAppOptions['redis'], config = {}): Promise<void> {
  const options = { ...OPTIONS, config };
  publisher = await startServer('publisher', redis, options);
  server = await startServer('server', redis, options);
}

/** Pushes until Redis has confirmed it. */
async function push(data: unknown): Promise<string> {
  let position: string | undefined;
  await eventually(
    'it is kept',
    async () => {
      const options = { id: `push ${String(data)}` };
      ({ position } = await publisher.bus.pushToAccount('acme', 'chat:n', data, options));
      return position !== undefined;
    },
    HEALING_MS,
  );
  return position!;
}

async function comeBack(since: Readonly<Record<string, string>>): Promise<{
  client: LoopTestClient;
  answer: OkFrame;
}> {
  const client = await server.client('acme', { connectionId: 'phone', query: { resume: '1' } });
  return { client, answer: await subscribeWith(client, since) };
}

function subscribeWith(
  client: LoopTestClient,
  since: Readonly<Record<string, string>>,
): Promise<OkFrame> {
  return client.ask({ op: 'subscribe', patterns: ['chat:*'], since }) as Promise<OkFrame>;
}

const gets = (client: LoopTestClient, data: unknown): Promise<void> =>
  eventually(`${String(data)} arrives`, () => dataOf(client).includes(data));

describe('durable pushes when Redis fails', () => {
  let redis: RedisServer;
  const cut = (): Promise<unknown> => redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  beforeEach(async () => {
    redis = await startRedis();
  });

  it('P3: what was pushed while the server was cut off arrives, in order and once', async () => {
    await startServers(redis.url);
    const client = await server.client('acme');
    for (const n of upTo(200)) {
      if (n % 20 === 0) await cut();
      await push(n);
    }
    await gets(client, 199);
    expect(dataOf(client)).toEqual(upTo(200));
    expect(resetsOf(client)).toEqual([]);
  });

  it('P3: the last event, lost in a cut, arrives though none follows', async () => {
    await startServers(redis.url);
    const client = await server.client('acme');
    await push('before');
    await cut();
    await push('last');
    await gets(client, 'last');
    expect(dataOf(client)).toEqual(['before', 'last']);
  });

  it('P3: a last event that was lost on the way is found by the check from time to time', async () => {
    await startServers(redis.url, { historyCheckMs: 1_200 });
    const client = await server.client('acme');
    await push('before');
    await gets(client, 'before');
    await keepUnpublished(redis, 'acme');
    await eventually('it is found', () => eventsOf(client).length === 2);
    expect(dataOf(client)).toEqual(['before', 'before']);
  });

  it('P3: a Redis that comes back empty makes one reset, and then everything arrives', async () => {
    await startServers(redis.url);
    const client = await server.client('acme');
    await push('before');
    await gets(client, 'before');
    await redis.kill();
    await redis.start();
    await eventually('it is told', () => resetsOf(client).length > 1, HEALING_MS);
    await push('after');
    await gets(client, 'after');
    const topics = resetsOf(client).flatMap((frame) =>
      frame.op === 'reset' ? Object.keys(frame.topics) : [],
    );
    expect(topics.sort()).toEqual(['account', 'service:chat']);
    const positions = eventsOf(client).map(({ pos }) => pos!);
    expect(new Set(positions).size).toBe(positions.length);
  }, 30_000);

  it('P3: data that is flushed under way ends in a reset with the next push', async () => {
    await startServers(redis.url);
    const client = await server.client('acme');
    await push('before');
    await gets(client, 'before');
    await redis.command('FLUSHALL');
    await push('lost to the reset');
    await eventually('it is told', () => resetsOf(client).length > 0);
    await push('after');
    await gets(client, 'after');
    expect(dataOf(client)).toEqual(['before', 'after']);
  });

  it('P3: one loss is told once, also to a client that goes on at a server that has not noticed it', async () => {
    await startServers(redis.url);
    const tablet = await server.client('acme', { connectionId: 'tablet' });
    const account = await push(0);
    await gets(tablet, 0);
    await redis.command('FLUSHALL');
    const resume = { connectionId: 'phone', query: { resume: '1' } };
    const phone = await publisher.client('acme', resume);
    const { reset } = await subscribeWith(phone, { account });
    await phone.close();
    const { client, answer } = await comeBack({ account: reset!['account']! });
    expect(answer).toMatchObject({ resumed: { account: 0 }, reset: {} });
    await push(1);
    await Promise.all([gets(client, 1), gets(tablet, 1)]);
    expect(storyOf(client)).toEqual([1]);
    expect(storyOf(tablet)).toEqual([0, 'reset', 1]);
  });

  it('P2: two servers that push the same id at once place it once', async () => {
    await startServers(redis.url);
    const client = await server.client('acme');
    const reports = await Promise.all(
      upTo(20).map((n) =>
        [publisher, server][n % 2]!.bus.pushToAccount('acme', 'chat:n', 'x', { id: 'one' }),
      ),
    );
    await push('last');
    await gets(client, 'last');
    expect(dataOf(client)).toEqual(['x', 'last']);
    expect(new Set(reports.map(({ position }) => position)).size).toBe(1);
  });

  it('P2, P5: a push that timed out may be repeated under its id: it is there once', async () => {
    await startServers(redis.url);
    const client = await server.client('acme');
    redis.pause();
    const report = await publisher.bus.pushToAccount('acme', 'chat:n', 'x', { id: 'one' });
    expect(report).toMatchObject({ complete: false, why: 'timeout' });
    redis.resume();
    await eventually('it is confirmed', async () => {
      const { position } = await publisher.bus.pushToAccount('acme', 'chat:n', 'x', { id: 'one' });
      return position !== undefined;
    });
    await push('last');
    await gets(client, 'last');
    expect(dataOf(client)).toEqual(['x', 'last']);
  });

  it('the script is sent again to a Redis that has forgotten it', async () => {
    await startServers(redis.url);
    const client = await server.client('acme');
    await push(0);
    await redis.command('SCRIPT', 'FLUSH');
    const pushes = upTo(100).map((n) => publisher.bus.pushToAccount('acme', 'chat:n', n));
    await Promise.all(pushes);
    await gets(client, 99);
    expect(dataOf(client)).toEqual([0, ...upTo(100)]);
  });

  it('P5: nothing is queued for a Redis that is not there', async () => {
    await startServers(redis.url);
    await redis.kill();
    await eventually('it is noticed', async () => {
      const report = await publisher.bus.pushToAccount('acme', 'chat:n', 1);
      return !report.complete && report.why === 'unavailable';
    });
    await redis.start();
    await push(2);
    const client = await server.client('acme', { timeoutMs: HEALING_MS });
    await subscribeWith(client, { account: 'latest' });
    expect(dataOf(client)).toEqual([2]);
  }, 30_000);
});

describe('durable pushes when writes are lost in a failover', () => {
  it('P3: a client that has events which no longer exist is told to reload, never that it has resumed', async () => {
    const group = await SentinelGroup.start();
    await startServers(group.options);
    const client = await server.client('acme', { connectionId: 'phone' });
    const kept = await push('kept');
    group.losesWrites();
    const phantoms = upTo(5).map((n) => `phantom ${n}`);
    let last = kept;
    for (const phantom of phantoms) last = await push(phantom);
    await gets(client, phantoms.at(-1));
    await client.close();
    await group.master.kill();
    await group.failedOver();
    // As many as were lost, and more: the numbers of the lost ones are given again.
    for (const n of upTo(10)) await push(`new ${n}`);
    const { answer, client: back } = await comeBack({ account: last });
    expect(answer.resumed).toEqual({});
    expect(Object.keys(answer.reset!)).toEqual(['account']);
    await back.close();
  }, 60_000);

  it('P3: so is a client that never saw the lost events, although they were confirmed', async () => {
    const group = await SentinelGroup.start();
    await startServers(group.options);
    const client = await server.client('acme', { connectionId: 'phone' });
    const kept = await push('kept');
    await gets(client, 'kept');
    await client.close();
    group.losesWrites();
    await push('lost');
    await group.master.kill();
    await group.failedOver();
    await push('new');
    const { answer, client: back } = await comeBack({ account: kept });
    const isTold = (): boolean =>
      'account' in (answer.reset ?? {}) ||
      resetsOf(back).some((frame) => frame.op === 'reset' && 'account' in frame.topics);
    await eventually('it is told', isTold);
    expect(dataOf(back)).not.toContain('lost');
  }, 60_000);

  it('P3: a failover that loses nothing resets nobody', async () => {
    const group = await SentinelGroup.start();
    await startServers(group.options);
    const client = await server.client('acme', { connectionId: 'phone' });
    for (const n of upTo(5)) await push(n);
    await group.failOver();
    await group.failedOver();
    await eventually(
      'the new master is used',
      async () => {
        const [, hearing] = await group.replica.command<[string, number]>(
          'PUBSUB',
          'NUMSUB',
          '{lw}everyone',
        );
        return hearing === 2;
      },
      HEALING_MS,
    );
    await push('after');
    await gets(client, 'after');
    expect(dataOf(client)).toEqual([...upTo(5), 'after']);
    expect(resetsOf(client)).toEqual([]);
  }, 60_000);

  it('P3: one that stays connected is told as well', async () => {
    const group = await SentinelGroup.start();
    await startServers(group.options);
    const client = await server.client('acme');
    await push('kept');
    group.losesWrites();
    await push('phantom');
    await gets(client, 'phantom');
    await group.master.kill();
    await group.failedOver();
    await push('new');
    await eventually('it is told', () => storyOf(client).includes('reset'));
    await push('after');
    await gets(client, 'after');
    const story = storyOf(client);
    expect(story.slice(0, 3)).toEqual(['kept', 'phantom', 'reset']);
    expect(story.at(-1)).toBe('after');
  }, 60_000);
});

/** Repeats the last entry of an account's history under the next position, and publishes nothing. */
async function keepUnpublished(redis: RedisServer, account: string): Promise<void> {
  const [list] = await redis.command<string[]>('KEYS', `*:h:a:${account}`);
  const [position] = await redis.command<string[]>('KEYS', `*:p:a:${account}`);
  const script = `
local n, id, _, rest = string.match(redis.call('LINDEX', KEYS[1], -1), '^(%d+)|([^|]*)|([^|]*)|(.*)$')
local own = string.format('%.0f', n + 1) .. '|unheard'
redis.call('RPUSH', KEYS[1], own .. '|' .. id .. '|' .. rest)
redis.call('SET', KEYS[2], own)`;
  await redis.command('EVAL', script, 2, list!, position!);
}
