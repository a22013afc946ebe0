import type { Position } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import type {
  AppendOptions,
  AppendReceipt,
  PlacedPush,
  TopicHistory,
  TopicPolicy,
} from '../transport/topic-history.js';
import type { PushMessage } from '../transport/transport-message.js';
import { ConcurrencyLimit } from '../util/concurrency-limit.js';

/**
 * How many reads may run at once: after a long outage every topic needs one, and so does every client that comes back.
 */
const READS_AT_ONCE = 64;

/** The history of the transport, with a bound on concurrent reads. */
export class BoundedHistory implements TopicHistory {
  private readonly reads = new ConcurrencyLimit(READS_AT_ONCE);

  constructor(private readonly history: TopicHistory) {}

  append(
    topic: Topic,
    push: PushMessage,
    policy: TopicPolicy,
    options: AppendOptions,
  ): Promise<AppendReceipt> {
    return this.history.append(topic, push, policy, options);
  }

  positionsOf(topics: readonly Topic[]): Promise<readonly Position[]> {
    return this.reads.run(() => this.history.positionsOf(topics));
  }

  since(topic: Topic, position: Position): Promise<readonly PlacedPush[] | undefined> {
    return this.reads.run(() => this.history.since(topic, position));
  }

  latest(topic: Topic): Promise<PlacedPush | undefined> {
    return this.reads.run(() => this.history.latest(topic));
  }

  async vouchFor(topic: Topic, position: Position): Promise<void> {
    await this.reads.run(async () => this.history.vouchFor?.(topic, position));
  }
}
