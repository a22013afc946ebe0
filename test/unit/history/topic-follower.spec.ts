import { jest } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { resolveConfig } from '../../../lib/loop-ws.config-reader.js';
import { TopicFollower } from '../../../lib/history/topic-follower.js';
import { MemoryHistory } from '../../../lib/transport/memory/memory-history.js';
import { MemoryLogs } from '../../../lib/transport/memory/memory-logs.js';
import type { Position } from '../../../lib/transport/position.js';
import type { PlacedPush } from '../../../lib/transport/topic-history.js';
import type { TransportReceipt } from '../../../lib/transport/transport-message.js';
import { SampledLogger } from '../../../lib/util/sampled-logger.js';
import { deferred } from '../../support/eventually.js';

const TOPIC = { kind: 'account', name: 'acme' } as const;
const NOTHING = { delivered: 0, filtered: 0, failed: 0 };
const UNKNOWN = { ...NOTHING, isOpen: true };
const DELIVERED = { delivered: 1, filtered: 0, failed: 0 };
const logger = new SampledLogger(resolveConfig({}));

/** Pushes that were placed, and not handed over yet. */
let placed: PlacedPush[];
let logs: MemoryLogs;
let history: MemoryHistory;
let delivered: string[];
let resets: Position[];
let follower: TopicFollower;
let policy: { size: number; ttlMs: number; keptMs: number };

async function append(...frames: readonly string[]): Promise<void> {
  for (const frame of frames) {
    const target = { kind: 'account', accountId: 'acme' } as const;
    const push = { kind: 'push', target, name: 'chat:n', frame, ttlMs: 1_000 } as const;
    await history.append(TOPIC, push, policy, {
      timeoutMs: 1_000,
      receipt: true,
      onPlaced() {},
    });
  }
}

/** What was kept is lost, as with the restart of a Redis that saves nothing. */
function renewHistory(): void {
  logs.close();
  logs = new MemoryLogs(() => true);
  Object.assign(history, { logs });
}

beforeEach(async () => {
  jest.spyOn(Date, 'now').mockReturnValue(0); // a history that begins anew begins with the same number
  [placed, delivered, resets] = [[], [], []];
  policy = { size: 5, ttlMs: 60_000, keptMs: 60_000 };
  logs = new MemoryLogs(() => true);
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
  jest.restoreAllMocks();
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
    renewHistory();
    await append('x', 'y', 'z');
    await follower.receive(placed.at(-1)!);
    expect(delivered).toEqual(['a', 'b']);
    expect(resets).toEqual([placed.at(-1)!.place.position]);
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

  describe('that is verified where nothing tells that something is missing', () => {
    const lastPosition = async (): Promise<Position> => (await history.positionsOf([TOPIC]))[0]!;

    it('P1: does not hold back what is on its way', async () => {
      await append('a', 'b');
      const verified = follower.verifyGently(await lastPosition());
      await Promise.resolve();
      expect(placed.map((push) => follower.receive(push))).toEqual([DELIVERED, DELIVERED]);
      await verified;
      expect(delivered).toEqual(['a', 'b']);
    });

    it('P1: does not hold back what follows a position that is behind by now', async () => {
      const position = await lastPosition();
      await append('a', 'b');
      expect(follower.receive(placed[0]!)).toEqual(DELIVERED);
      const verified = follower.verifyGently(position);
      expect(follower.receive(placed[1]!)).toEqual(DELIVERED);
      await verified;
      expect(resets).toEqual([]);
    });

    it('P3: reads what does not arrive', async () => {
      await append('a', 'b');
      await follower.verifyGently(await lastPosition());
      expect(delivered).toEqual(['a', 'b']);
    });

    it('P3: tells of a history that was lost', async () => {
      await append('a');
      await follower.receive(placed[0]!);
      renewHistory();
      await follower.verifyGently(await lastPosition());
      expect(resets).toHaveLength(1);
    });
  });
});

describe('a follower that reads', () => {
  /** Answers of the history are held up from now on until they are released. */
  function holdUpReads(): { readonly release: () => void } {
    const { promise, resolve } = deferred();
    const { since } = history;
    history.since = async (...args) => {
      const read = await since.apply(history, args);
      await promise;
      return read;
    };
    return { release: resolve };
  }

  it('P3: forgets no verification that comes meanwhile', async () => {
    await append('a', 'b');
    const reads = holdUpReads();
    const received = follower.receive(placed[1]!);
    await append('c'); // and is lost on the way
    const [position] = await history.positionsOf([TOPIC]);
    const verified = follower.verify(position!);
    reads.release();
    await Promise.all([received, verified]);
    expect(delivered).toEqual(['a', 'b', 'c']);
  });

  it('P1: does not read again what came meanwhile and follows', async () => {
    await append('a', 'b');
    const reads = holdUpReads();
    const reading = jest.spyOn(history, 'since');
    const first = follower.receive(placed[1]!);
    await turn();
    await append('c', 'd');
    const others = placed.slice(2).map(async (push) => follower.receive(push));
    reads.release();
    expect(await Promise.all([first, ...others])).toEqual([DELIVERED, DELIVERED, DELIVERED]);
    expect(delivered).toEqual(['a', 'b', 'c', 'd']);
    expect(reading).toHaveBeenCalledTimes(1);
  });

  it('P5: answers everybody when a push comes twice meanwhile', async () => {
    await append('a', 'b');
    const replies = [1, 1].map(async () => follower.receive(placed[1]!));
    expect(await Promise.all(replies)).toEqual([NOTHING, DELIVERED]);
    expect(delivered).toEqual(['a', 'b']);
  });

  it('P5: does not call nobody what it has read, and delivered, before it comes', async () => {
    await append('a', 'b', 'c');
    const [position] = await history.positionsOf([TOPIC]);
    await follower.verify(position!);
    await append('d');
    expect(follower.receive(placed[3]!)).toEqual(DELIVERED);
    const late = placed.slice(0, 3).map(async (push) => follower.receive(push));
    expect(await Promise.all(late)).toEqual([UNKNOWN, UNKNOWN, UNKNOWN]);
    expect(follower.receive(placed[3]!)).toEqual(NOTHING); // its own reply has been given
    expect(delivered).toEqual(['a', 'b', 'c', 'd']);
  });

  it('P5: does not call nobody what comes last and was read', async () => {
    await append('a');
    const [position] = await history.positionsOf([TOPIC]);
    await follower.verify(position!);
    expect(await follower.receive(placed[0]!)).toEqual(UNKNOWN);
  });

  it('P5: does not call nobody what comes while it is delivered', async () => {
    policy.size = 1_000;
    await append(...Array.from({ length: 100 }, String));
    const [position] = await history.positionsOf([TOPIC]);
    const verified = follower.verify(position!);
    await turn();
    await turn();
    const at = delivered.length - 1;
    expect(at).toBeLessThan(90);
    const late = follower.receive(placed[at]!);
    const early = follower.receive(placed[at + 9]!);
    await verified;
    expect(await Promise.all([late, early])).toEqual([UNKNOWN, DELIVERED]);
  });

  it('P5: does not call nobody what comes after the reset that names it', async () => {
    await append('a', 'b', 'c', 'd', 'e', 'f', 'g');
    await follower.receive(placed[6]!);
    expect(await follower.receive(placed[5]!)).toEqual(UNKNOWN);
  });

  it('P5: does not know what becomes of a push that ends in a reset', async () => {
    await append('a', 'b', 'c', 'd', 'e', 'f', 'g');
    expect(await follower.receive(placed[6]!)).toEqual({ ...NOTHING, isOpen: true });
  });

  it.each(Array.from({ length: 20 }, (_, at) => at))(
    'P3: forgets nothing that comes %i microtasks after it has read',
    async (microtasks) => {
      await append('a');
      const reads = holdUpReads();
      const verified = follower.verify((await history.positionsOf([TOPIC]))[0]!);
      await turn();
      reads.release();
      for (let passed = 0; passed < microtasks; passed++) await Promise.resolve();
      await append('b', 'c'); // of which the first is lost on the way
      const received = follower.receive(placed[2]!);
      await verified;
      expect(await received).toEqual(DELIVERED);
      expect(delivered).toEqual(['a', 'b', 'c']);
    },
  );

  it('P6: keeps only so many pushes while the history cannot be read, and then misses none', async () => {
    const isDown = jest.spyOn(history, 'since').mockRejectedValue(new Error('down'));
    await append(...Array.from({ length: 3_000 }, String));
    const replies = placed.slice(1).map((push) => follower.receive(push));
    const waiting = replies.filter((reply) => reply instanceof Promise);
    expect(waiting).toHaveLength(1_000);
    isDown.mockRestore();
    await Promise.all(waiting);
    expect(resets).toEqual([placed.at(-1)!.place.position]); // so many are not kept
  });

  it('P6: delivers a big gap in many turns', async () => {
    policy.size = 1_000;
    await append(...Array.from({ length: 100 }, String));
    const received = follower.receive(placed[99]!);
    const perTurn: number[] = [];
    for (let before = 0; delivered.length < 100; before = delivered.length) {
      await turn();
      perTurn.push(delivered.length - before);
    }
    await received;
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(16);
  });
});
