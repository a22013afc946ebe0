import type { PublishOptions } from './loop-transport.js';
import type { Place, Position } from './position.js';
import type { Topic } from './topic.js';
import type { PushMessage, ServerReply, TransportReceipt } from './transport-message.js';

/** How much of a topic is kept. */
export interface HistoryPolicy {
  /** Pushes, from 1 to 10 000. */
  readonly size: number;
  /** How long each of them is kept, in milliseconds, from 1 to 2 592 000 000, which is 30 days. */
  readonly ttlMs: number;
}

/** What applies to one push. Services share the history of an account or a room, each with a policy of its own. */
export interface TopicPolicy extends HistoryPolicy {
  /** The longest `ttlMs` of those that share the history: for so long it is there after the last push. */
  readonly keptMs: number;
}

/** A push with its place in the history of its topic. */
export type PlacedPush = PushMessage & { readonly place: Place };

export function isPlaced(push: PushMessage): push is PlacedPush {
  return push.place !== undefined;
}

/** How a push is appended. */
export interface AppendOptions extends PublishOptions {
  /** Called as soon as its position is known, and its delivery everywhere is on its way. */
  readonly onPlaced: (position: Position) => void;
}

export interface AppendReceipt extends TransportReceipt {
  /** Absent when it is not known in time. */
  readonly position?: Position;
  /** What this server did; absent when it is not attached to the topic. Open when the push is a repetition. */
  readonly here?: ServerReply;
}

/** Keeps what was pushed on a topic, for those who were away. */
export interface TopicHistory {
  /**
   * Places the push behind the last one of its topic, keeps it, and hands it to every server that is attached, this one
   * included. A repetition, one with the same `id`, name and target, is not placed again within `idempotencyWindowMs`, and
   * has the position of the first. Rejects with a `LoopTransportError` when it is not placed, or when nobody knows.
   */
  append(
    topic: Topic,
    push: PushMessage,
    policy: TopicPolicy,
    options: AppendOptions,
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

  /**
   * Tells that the topic has given the position. A history that proves otherwise has lost what it had confirmed, and is
   * begun anew: else somebody who was away would go on from before the loss as if nothing were missing. Absent where
   * nothing can be lost.
   */
  vouchFor?(topic: Topic, position: Position): Promise<void>;
}
