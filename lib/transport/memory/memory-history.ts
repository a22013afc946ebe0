import type { PublishOptions } from '../publish-options.js';
import type { Position } from '../position.js';
import type { Topic } from '../topic.js';
import type {
  AppendOptions,
  AppendReceipt,
  HistoryPolicy,
  PlacedPush,
  TopicHistory,
} from '../topic-history.js';
import { type PushMessage, OUTCOME_UNKNOWN } from '../transport-message.js';
import type { MemoryLogs } from './memory-logs.js';

/** Hands a push that was just placed to the attached servers. Called synchronously by `append`. */
export type HandOver = (
  topic: Topic,
  push: PlacedPush,
  options: PublishOptions,
) => Promise<Omit<AppendReceipt, 'position'>>;

/** Histories in the memory of this process, as seen by one server. */
export class MemoryHistory implements TopicHistory {
  constructor(
    private readonly logs: MemoryLogs,
    private readonly handOver: HandOver,
    private readonly idempotencyWindowMs: number,
  ) {}

  async append(
    topic: Topic,
    push: PushMessage,
    policy: HistoryPolicy,
    options: AppendOptions,
  ): Promise<AppendReceipt> {
    const { logs, idempotencyWindowMs } = this;
    const { position, placed } = logs
      .of(topic)
      .append(push, policy, logs.now(), idempotencyWindowMs);
    const handedOver = placed && this.handOver(topic, placed, options);
    options.onPlaced(position);
    // For a repetition, the outcome of the first push is not known here.
    const receipt = await (handedOver ?? { expected: 0, replies: [], here: OUTCOME_UNKNOWN });
    return { position, ...receipt };
  }

  async positionsOf(topics: readonly Topic[]): Promise<readonly Position[]> {
    return topics.map((topic) => this.logs.of(topic).position);
  }

  async since(topic: Topic, position: Position): Promise<readonly PlacedPush[] | undefined> {
    return this.logs.of(topic).since(position, this.logs.now());
  }

  async latest(topic: Topic): Promise<PlacedPush | undefined> {
    return this.logs.of(topic).latest(this.logs.now());
  }
}
