import { LoopTestClient } from '../../lib/testing/index.js';
import { faultTest, healed } from '../support/fault-test.js';
import { startRedis } from '../support/redis-server.js';
import { buildLibrary, killServerProcesses, ServerProcess } from '../support/server-processes.js';

const HOUR_MS = 3_600_000;
const TTL_MS = 2_000;
const NUMBERS = Array.from({ length: 20 }, (_, n) => n);
const NAMES = ['fast', 'slow', 'right'];

const { startServer } = faultTest();

beforeAll(buildLibrary, 120_000);
afterAll(killServerProcesses);

const connect = ({ port }: ServerProcess, connectionId: string): Promise<LoopTestClient> =>
  LoopTestClient.connect(`ws://127.0.0.1:${port}`, {
    token: 'acme',
    connectionId,
    timeoutMs: 10_000,
  });

it('P1, P4, P5: clocks that are an hour fast and an hour slow make no push late, and none come out of order', async () => {
  const redis = await startRedis();
  const right = await startServer('right', redis.url);
  const fast = await ServerProcess.start('fast', redis.url, [], { clockOffMs: HOUR_MS });
  const slow = await ServerProcess.start('slow', redis.url, [], { clockOffMs: -HOUR_MS });
  const onFast = await connect(fast, 'fast');
  const onSlow = await connect(slow, 'slow');
  const onRight = await right.client('acme', { connectionId: 'right' });
  for (const name of NAMES) await healed(right, name, 10_000);

  const fromRight = NAMES.flatMap((name) =>
    NUMBERS.map((n) =>
      right.bus.pushToConnection('acme', name, 'chat:n', `right ${n}`, { ttlMs: TTL_MS }),
    ),
  );
  const results = [
    ...(await Promise.all(fromRight)),
    ...(await pushVia(onFast, 'fast')),
    ...(await pushVia(onSlow, 'slow')),
  ];
  expect(new Set(results)).toEqual(new Set(['delivered']));
  for (const client of [onFast, onSlow, onRight]) {
    for (const from of ['right', 'fast', 'slow']) {
      const expected = NUMBERS.map((n) => `${from} ${n}`);
      expect(await eventsFrom(client, from)).toEqual(expected);
    }
  }
}, 60_000);

/** The server of this client pushes to all three, in the order in which the client asks. Resolves with the results. */
async function pushVia(client: LoopTestClient, from: string): Promise<unknown[]> {
  const replies = NAMES.flatMap((connectionId) =>
    NUMBERS.map((n) =>
      client.request('chat:push', { connectionId, data: `${from} ${n}`, ttlMs: TTL_MS }),
    ),
  );
  return (await Promise.all(replies)).map((frame) => ('data' in frame ? frame.data : frame));
}

/** What the client got of one server, once it got all that was delivered. */
async function eventsFrom(client: LoopTestClient, from: string): Promise<unknown[]> {
  await client.nextFrame(`the last of ${from}`, (frame) => {
    return 'data' in frame && frame.data === `${from} ${NUMBERS.at(-1)}`;
  });
  return client.frames.flatMap((frame) =>
    'event' in frame && String(frame.data).startsWith(`${from} `) ? [frame.data] : [],
  );
}
