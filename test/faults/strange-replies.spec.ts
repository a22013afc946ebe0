import { jest } from '@jest/globals';
import { SampledLogger } from '../../lib/util/sampled-logger.js';
import { eventually } from '../support/eventually.js';
import { faultTest } from '../support/fault-test.js';
import { startRedis } from '../support/redis-server.js';

const { startServer } = faultTest();
const uncaught: unknown[] = [];
const noteUncaught = (error: unknown): void => void uncaught.push(error);

beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', noteUncaught);
});

afterEach(() => {
  process.off('uncaughtException', noteUncaught);
  jest.restoreAllMocks();
});

it('P5, P6: replies that are none settle nothing, end no process, are logged, and hide no others', async () => {
  const redis = await startRedis();
  const server = await startServer('server', redis.url);
  const [inbox] = await redis.command<string[]>('PUBSUB', 'CHANNELS', '*lw:n:*');
  const other = await startServer('other', redis.url);
  const client = await other.client('acme', { connectionId: 'phone' });
  const ask = (timeoutMs: number) =>
    server.bus.ask('acme', 'phone', 'device:status', 1, { timeoutMs }).catch(String);
  const replyAll = async (...replies: unknown[]): Promise<void> => {
    const requests = Array.from({ length: 50 }, (_, request) => request);
    const batch = requests.flatMap((request) => replies.map((reply) => [request, reply]));
    await redis.command('PUBLISH', inbox!, JSON.stringify(batch));
  };
  const warned = jest.spyOn(SampledLogger.prototype, 'warn');
  const refused = ask(500);
  await client.nextFrame('the question', (frame) => 'ask' in frame);
  await replyAll(null);
  await eventually('it is logged', () =>
    warned.mock.calls.some(([, message]) => message.includes(inbox!)),
  );
  expect(await refused).toContain('did not answer');
  const answered = ask(5_000);
  await client.nextFrame('the question', (frame) => 'ask' in frame);
  const reply = { delivered: 1, filtered: 0, failed: 0, answer: { ok: true, data: '"fine"' } };
  await replyAll(null, reply);
  expect(await answered).toBe('fine');
  expect(uncaught).toEqual([]);
});
