import { jest } from '@jest/globals';
import { resolveConfig } from '../../../lib/loop-ws.config-reader.js';
import { TopicFollower } from '../../../lib/history/topic-follower.js';
import { MemoryHistory } from '../../../lib/transport/memory/memory-history.js';
import { MemoryLogs } from '../../../lib/transport/memory/memory-logs.js';
import type { Position } from '../../../lib/transport/position.js';
import type { PlacedPush } from '../../../lib/transport/topic-history.js';
import type { TransportReceipt } from '../../../lib/transport/transport-message.js';
import { SampledLogger } from '../../../lib/util/sampled-logger.js';

const TOPIC = { kind: 'account', name: 'acme' } as const;
export const NOTHING = { delivered: 0, filtered: 0, failed: 0 };
export const DELIVERED = { delivered: 1, filtered: 0, failed: 0 };
const logger = new SampledLogger(resolveConfig({}));

/** Pushes that were placed, and not handed over yet. */
export let placed: PlacedPush[];
/** Frames that the follower delivered, in order. */
export let delivered: string[];
/** Positions of the resets that the follower told of. */
export let resets: Position[];
export let history: MemoryHistory;
export let follower: TopicFollower;
export let policy: { size: number; ttlMs: number; keptMs: number };
let logs: MemoryLogs;

export async function append(...frames: readonly string[]): Promise<void> {
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
export function renewHistory(): void {
  logs.close();
  logs = new MemoryLogs(() => true);
  Object.assign(history, { logs });
}

/** Has not started yet. */
export function newFollower(): TopicFollower {
  const listener = {
    deliver: (_topic: unknown, { frame }: PlacedPush) => (delivered.push(frame), DELIVERED),
    reset: (_topic: unknown, position: Position) => void resets.push(position),
  };
  return new TopicFollower(TOPIC, history, listener, logger);
}

export async function lastPosition(): Promise<Position> {
  const [position] = await history.positionsOf([TOPIC]);
  return position!;
}

/** An empty history, and a follower that has started. Call it before each test. */
export async function followAnew(): Promise<void> {
  jest.spyOn(Date, 'now').mockReturnValue(0); // a history that begins anew begins with the same number
  [placed, delivered, resets] = [[], [], []];
  policy = { size: 5, ttlMs: 60_000, keptMs: 60_000 };
  logs = new MemoryLogs(() => true);
  const handOver = async (_topic: unknown, push: PlacedPush): Promise<TransportReceipt> => {
    placed.push(push);
    return { expected: 0, replies: [] };
  };
  history = new MemoryHistory(logs, handOver, 1_000);
  follower = newFollower();
  follower.start(await lastPosition());
}

/** Call it after each test. */
export function endFollowing(): void {
  follower.close();
  logs.close();
  jest.restoreAllMocks();
}
