import type { PublishOptions } from '../loop-transport.js';
import type { Position } from '../position.js';
import { type Topic, topicKey } from '../topic.js';
import type {
  AppendOptions,
  AppendReceipt,
  HistoryPolicy,
  PlacedPush,
  TopicHistory,
} from '../topic-history.js';
import type { PushMessage } from '../transport-message.js';
import { MemoryLog } from './memory-log.js';

const PRUNED_EVERY_MS = 10_000;

/** A position that was not asked for this long is forgotten: who comes back with it is told to reload. */
const POSITION_KEPT_MS = 86_400_000;

interface Kept {
  readonly log: MemoryLog;
  usedAt: number;
}

/** Hands a push that was just placed to whoever is attached. Called in the turn of the `append`. */
export type HandOver = (
  topic: Topic,
  push: PlacedPush,
  options: PublishOptions,
) => Promise<Omit<AppendReceipt, 'position'>>;

/** Histories in the memory of this process. */
export class MemoryHistory implements TopicHistory {
  private readonly kept = new Map<string, Kept>();
  private readonly pruning: ReturnType<typeof setInterval>;

  constructor(
    private readonly handOver: HandOver,
    private readonly idempotencyWindowMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.pruning = setInterval(() => this.prune(), PRUNED_EVERY_MS).unref();
  }

  async append(
    topic: Topic,
    push: PushMessage,
    policy: HistoryPolicy,
    options: AppendOptions,
  ): Promise<AppendReceipt> {
    const log = this.logOf(topic);
    const { position, placed } = log.append(push, policy, this.now(), this.idempotencyWindowMs);
    const handedOver = placed && this.handOver(topic, placed, options);
    options.onPlaced(position);
    return { position, ...((await handedOver) ?? { expected: 0, replies: [] }) };
  }

  async positionsOf(topics: readonly Topic[]): Promise<readonly Position[]> {
    return topics.map((topic) => this.logOf(topic).position);
  }

  async since(topic: Topic, position: Position): Promise<readonly PlacedPush[] | undefined> {
    return this.logOf(topic).since(position, this.now());
  }

  async latest(topic: Topic): Promise<PlacedPush | undefined> {
    return this.logOf(topic).latest(this.now());
  }

  close(): void {
    clearInterval(this.pruning);
  }

  private logOf(topic: Topic): MemoryLog {
    const key = topicKey(topic);
    const kept = this.kept.get(key) ?? { log: new MemoryLog(), usedAt: 0 };
    kept.usedAt = this.now();
    this.kept.set(key, kept);
    return kept.log;
  }

  private prune(): void {
    const now = this.now();
    for (const [key, { log, usedAt }] of this.kept) {
      log.prune(now);
      if (now - usedAt > POSITION_KEPT_MS) this.kept.delete(key);
    }
  }
}
