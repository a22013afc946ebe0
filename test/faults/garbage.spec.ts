import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { encodeHeader, encodeLetter } from '../../lib/transport/redis/envelope.codec.js';
import { NO_PLACE } from '../../lib/transport/redis/placed-bytes.js';
import { faultTest, healed } from '../support/fault-test.js';
import { PushLedger } from '../support/push-ledger.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const { edges, startServer } = faultTest();
const MANY_BYTES = 10_000_000;

/** Redis must not cut a subscriber that a busy machine lets read so much slowly. */
const NO_OUTPUT_LIMIT = ['--client-output-buffer-limit', 'pubsub', '0', '0', '0'];
const PATIENT = { receiptTimeoutMs: 10_000, redisCommandTimeoutMs: 10_000 };

afterEach(() => {
  jest.restoreAllMocks();
});

describe('messages on our channels that nobody of us has sent', () => {
  it('P5, P6: disturb no push and no result, and are worth one short line in the log', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const redis = await startRedis(...NO_OUTPUT_LIMIT);
    const a = await startServer('a', redis.url, { config: PATIENT });
    const b = await startServer('b', redis.url, { config: PATIENT });
    const onB = await b.client('acme', { connectionId: 'b' });
    await a.client('acme', { connectionId: 'a' });
    await onB.subscribe('chat:*');
    await healed(a, 'b');
    const ledger = new PushLedger(a, 'a', onB);
    ledger.pushEvery(1);
    const channels = await redis.command<string[]>('PUBSUB', 'CHANNELS');
    expect(kindsOf(channels)).toEqual(['account', 'everyone', 'inbox', 'probe', 'service']);
    for (const channel of channels) await publish(redis, channel, garbage());
    await ledger.settled();
    expect(await b.bus.pushToChannel('chat:n', 1)).toMatchObject({ delivered: 2, complete: true });
    expect(ledger.lies).toEqual([]);
    expect(ledger.count('unknown')).toBe(0);
    expect(ledger.count('delivered')).toBeGreaterThan(0);
    const lines = warn.mock.calls.map(([line]) => String(line));
    expect(lines.filter((line) => line.includes('could not be read'))).toHaveLength(2);
    expect(lines.filter((line) => line.includes('unknown protocol version'))).toHaveLength(2);
    expect(lines).toHaveLength(4);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(2_000);
    expect(edges).toEqual(['+acme']);
  }, 30_000);
});

/** Which of our kinds of channel are among them. */
function kindsOf(channels: readonly string[]): string[] {
  const kinds = Object.entries({
    account: /:a:acme$/,
    everyone: /}everyone$/,
    inbox: /:n:/,
    probe: /}everyone:/,
    service: /:e:chat$/,
  });
  return kinds.flatMap(([kind, fits]) => (channels.some((name) => fits.test(name)) ? [kind] : []));
}

function garbage(): Buffer[] {
  const header = encodeHeader('nobody', NO_PLACE);
  const letter = encodeLetter({
    request: 1,
    deadline: Number.MAX_SAFE_INTEGER,
    lifetimeMs: 60_000,
    message: { kind: 'disconnect', accountId: 'acme', code: 4_501, reason: 'Go away.' },
  });
  const envelope = Buffer.concat([header, letter]);
  const ofVersion2 = Buffer.from(envelope);
  ofVersion2[NO_PLACE.length] = 2;
  return [
    bytesOf(`${'9'.repeat(MANY_BYTES)}|||`),
    ...Array.from({ length: envelope.length }, (_, length) => envelope.subarray(0, length)),
    ofVersion2,
    ...['', '{"__proto__":1}', '[[1]]', '[null]', 'hello', 'a|b|c|d', '1|b|c|'].map(bytesOf),
    ...Array.from({ length: 50 }, (_, n) => randomBytes(4 * n)),
    randomBytes(MANY_BYTES),
  ];
}

const bytesOf = (text: string): Buffer => Buffer.from(text);

/** In this order. */
async function publish(redis: RedisServer, channel: string, messages: Buffer[]): Promise<void> {
  const connection = new Redis(redis.port, '127.0.0.1', { retryStrategy: () => null });
  await Promise.all(messages.map((message) => connection.publish(channel, message)));
  connection.disconnect();
}
