import { resolveConfig } from '../../../lib/loop-ws.config.js';
import { TopicFollower } from '../../../lib/history/topic-follower.js';
import { MemoryHistory } from '../../../lib/transport/memory/memory-history.js';
import { MemoryLogs } from '../../../lib/transport/memory/memory-logs.js';
import type { Position } from '../../../lib/transport/position.js';
import type { PlacedPush } from '../../../lib/transport/topic-history.js';
import type { TransportReceipt } from '../../../lib/transport/transport-message.js';
import { SampledLogger } from '../../../lib/util/sampled-logger.js';

const TOPIC = { kind: 'account', name: 'acme' } as const;
const NOTHING = { delivered: 0, filtered: 0, failed: 0 };
const DELIVERED = { delivered: 1, filtered: 0, failed: 0 };
const logger = new SampledLogger(resolveConfig({}));

/** Pushes that were placed, and not handed over yet. */
let placed: PlacedPush[];
let logs: MemoryLogs;
let history: MemoryHistory;
let delivered: string[];
let resets: Position[];
let follower: TopicFollower;

async function append(...frames: readonly string[]): Promise<void> {
  for (const frame of frames) {
    const target = { kind: 'account', accountId: 'acme' } as const;
    const push = { kind: 'push', target, name: 'chat:n', frame, ttlMs: 1_000 } as const;
    const policy = { size: 5, ttlMs: 60_000, keptMs: 60_000 };
    await history.append(TOPIC, push, policy, {
      timeoutMs: 1_000,
      receipt: true,
      onPlaced() {},
    });
  }
}

beforeEach(async () => {
  [placed, delivered, resets] = [[], [], []];
  logs = new MemoryLogs();
  const handOver = async (_topic: unknown, push: PlacedPush): Promise<TransportReceipt> => {
    placed.push(push);
    return { expected: 0, replies: [] };
  };
  history = new MemoryHistory(logs, handOver, 1_000);
  const listener = {
    deliver: (_topic: unknown, { frame }: PlacedPush) => (delivered.push(frame), DELIVERED),
    reset: (_topic: unknown, position: Position) => void resets.push(position),
  };
  follower = new TopicFollower(TOPIC, history, listener, logger);
  const [position] = await history.positionsOf([TOPIC]);
  follower.start(position!);
});

afterEach(() => {
  follower.close();
  logs.close();
});

describe('a follower of a history', () => {
  it('P1: delivers what comes in turn at once', async () => {
    await append('a', 'b');
    expect(placed.map((push) => follower.receive(push))).toEqual([DELIVERED, DELIVERED]);
    expect(delivered).toEqual(['a', 'b']);
  });

  it('P3: reads what it missed, and delivers all in order', async () => {
    await append('a', 'b', 'c');
    expect(await follower.receive(placed[2]!)).toEqual(DELIVERED);
    expect(delivered).toEqual(['a', 'b', 'c']);
    expect(resets).toEqual([]);
  });

  it('P2: delivers what comes twice, or late, once', async () => {
    await append('a', 'b');
    for (const push of [...placed, ...placed]) await follower.receive(push);
    expect(await follower.receive(placed[0]!)).toEqual(NOTHING);
    expect(delivered).toEqual(['a', 'b']);
    expect(resets).toEqual([]);
  });

  it('P1: delivers what comes in the wrong order in the right one, with the reply for each', async () => {
    await append('a', 'b', 'c');
    const replies = [2, 0, 1].map(async (at) => follower.receive(placed[at]!));
    expect(await Promise.all(replies)).toEqual([DELIVERED, DELIVERED, DELIVERED]);
    expect(delivered).toEqual(['a', 'b', 'c']);
  });

  it('P3: tells of what cannot be had any more, and goes on behind it', async () => {
    await append('a', 'b', 'c', 'd', 'e', 'f', 'g');
    await follower.receive(placed[6]!);
    expect(delivered).toEqual([]);
    expect(resets).toEqual([placed[6]!.place.position]);
    await append('h');
    await follower.receive(placed[7]!);
    expect(delivered).toEqual(['h']);
  });

  it('P3: tells of a history that was lost and begun anew with the same numbers', async () => {
    await append('a', 'b');
    for (const push of placed) await follower.receive(push);
    const another = { position: { n: 3, id: 'other' }, previousId: 'another' };
    const forked = { ...placed[1]!, place: another };
    await follower.receive(forked);
    expect(delivered).toEqual(['a', 'b']);
  });

  it('P3: misses nothing that came before it had started', async () => {
    const early = new TopicFollower(
      TOPIC,
      history,
      {
        deliver: (_topic, { frame }) => (delivered.push(frame), DELIVERED),
        reset: (_topic, position) => void resets.push(position),
      },
      logger,
    );
    const [position] = await history.positionsOf([TOPIC]);
    await append('a', 'b');
    const replies = placed.map(async (push) => early.receive(push));
    early.start(position!);
    expect(await Promise.all(replies)).toEqual([DELIVERED, DELIVERED]);
    expect(delivered).toEqual(['a', 'b']);
    early.close();
  });
});
