import type { PublishOptions } from './loop-transport.js';
import type { Place, Position } from './position.js';
import type { Topic } from './topic.js';
import type { PushMessage, ServerReply, TransportReceipt } from './transport-message.js';

/** How much of a topic is kept. */
export interface HistoryPolicy {
  /** Pushes, from 1 to 10 000. */
  readonly size: number;
  /** How long each of them is, in milliseconds. */
  readonly ttlMs: number;
}

/** A push with its place in the history of its topic. */
export type PlacedPush = PushMessage & { readonly place: Place };

export function isPlaced(push: PushMessage): push is PlacedPush {
  return push.place !== undefined;
}

export interface AppendReceipt extends TransportReceipt {
  readonly position: Position;
  /** What this server did; absent when it is not attached to the topic. */
  readonly here?: ServerReply;
}

/** Keeps what was pushed on a topic, for those who were away. */
export interface TopicHistory {
  /**
   * Places the push behind the last one of its topic, keeps it, and hands it to every server that is attached, this one
   * included. The same `id` on the same topic within `idempotencyWindowMs` is not placed again, and has the first position.
   */
  append(
    topic: Topic,
    push: PushMessage,
    policy: HistoryPolicy,
    options: PublishOptions,
  ): Promise<AppendReceipt>;

  /** The position of the last push of each topic. One without a history gets one here. */
  positionsOf(topics: readonly Topic[]): Promise<readonly Position[]>;

  /**
   * What was pushed after the position, oldest first. `undefined` when it cannot be told that nothing is missing: too
   * much has happened since, some of it is too old, or the position is not of this history.
   */
  since(topic: Topic, position: Position): Promise<readonly PlacedPush[] | undefined>;

  /** The last push, if it is not too old. */
  latest(topic: Topic): Promise<PlacedPush | undefined>;
}
