import { jest } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { DurableTopics } from '../../../lib/history/durable-topics.js';
import { resolveConfig } from '../../../lib/loop-ws.config-reader.js';
import type { BusSettings } from '../../../lib/loop-ws.settings.js';
import { MemoryTransport } from '../../../lib/transport/memory/memory.transport.js';
import type { Topic } from '../../../lib/transport/topic.js';
import { isPlaced, type PlacedPush } from '../../../lib/transport/topic-history.js';
import { TopicInterest } from '../../../lib/transport/topic-interest.js';
import { EMPTY_REPLY } from '../../../lib/transport/transport-message.js';
import { SampledLogger } from '../../../lib/util/sampled-logger.js';
import { deferred, eventually } from '../../support/eventually.js';

const ACCOUNT: Topic = { kind: 'account', name: 'acme' };
const ROOM: Topic = { kind: 'room', name: 'lobby' };
const POLICY = { size: 50, ttlMs: 60_000, keptMs: 60_000 };
const config = resolveConfig({});
const settings = { config, histories: new Map([['chat', POLICY]]) } as unknown as BusSettings;
const logger = new SampledLogger(config);

let transport: MemoryTransport;
let durable: DurableTopics;
let interest: TopicInterest;
let delivered: string[];

beforeEach(async () => {
  delivered = [];
  transport = new MemoryTransport(1_000);
  durable = new DurableTopics(settings, transport, logger);
  durable.start({
    deliver: (_topic, { frame }: PlacedPush) => {
      delivered.push(frame);
      return { delivered: 1, filtered: 0, failed: 0 };
    },
    reset() {},
  });
  interest = new TopicInterest(transport, durable);
  await transport.start({
    serverId: 'server',
    receive: (message) =>
      message.kind === 'push' && isPlaced(message)
        ? durable.receive(ACCOUNT, message)
        : EMPTY_REPLY,
    mayHaveMissed() {},
  });
});

afterEach(async () => {
  durable.close();
  await transport.close();
});

async function append(frame: string): Promise<void> {
  const target = { kind: 'account', accountId: 'acme' } as const;
  const push = { kind: 'push', target, name: 'chat:n', frame, ttlMs: 1_000 } as const;
  const options = { timeoutMs: 1_000, receipt: true, onPlaced() {} };
  await transport.history.append(ACCOUNT, push, POLICY, options);
}

/** The next attachment takes until it is released. */
function holdUpAttach(): { readonly release: () => void } {
  const { promise, resolve } = deferred();
  const original = transport.attach.bind(transport);
  jest.spyOn(transport, 'attach').mockImplementationOnce(async (topics) => {
    await promise;
    await original(topics);
  });
  return { release: resolve };
}

describe('the topics that a server follows', () => {
  it('P6: are none of those that everybody left before they were attached', async () => {
    const attach = holdUpAttach();
    const retained = interest.retain([ACCOUNT]);
    interest.release([ACCOUNT]);
    attach.release();
    await retained;
    expect(durable.positionOf(ACCOUNT)).toBeUndefined();
  });

  it('P3: are not begun again by a late attachment of somebody who left', async () => {
    const attach = holdUpAttach();
    const late = interest.retain([ACCOUNT, ROOM]);
    interest.release([ACCOUNT, ROOM]);
    await interest.retain([ACCOUNT]); // somebody else: live from here on
    await append('a');
    const reading = jest.spyOn(transport.history, 'positionsOf');
    attach.release();
    await late;
    expect(reading).not.toHaveBeenCalled();
    await append('b');
    await turn();
    expect(delivered).toEqual(['a', 'b']);
  });

  it('P3, P6: are heard as soon as a history that could not be read at first can be', async () => {
    jest
      .spyOn(transport.history, 'positionsOf')
      .mockRejectedValueOnce(new Error('Redis did not answer'));
    await expect(interest.retain([ACCOUNT])).rejects.toThrow('did not answer'); // an observer stays all the same
    await eventually('it is followed', () => durable.positionOf(ACCOUNT) !== undefined);
    await append('a');
    expect(delivered).toEqual(['a']);
  });
});
