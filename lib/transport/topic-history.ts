import type { PublishOptions } from './publish-options.js';
import type { Place, Position } from './position.js';
import type { Topic } from './topic.js';
import type { PushMessage, ServerReply, TransportReceipt } from './transport-message.js';

/** How much of a topic's history is kept. */
export interface HistoryPolicy {
  /** How many pushes are kept: 1 to 10 000. */
  readonly size: number;
  /** How long each push is kept, in milliseconds: 1 to 2 592 000 000 (30 days). */
  readonly ttlMs: number;
}

/** The policy for one push. Services share the history of an account or a room, but each has its own policy. */
export interface TopicPolicy extends HistoryPolicy {
  /** The longest `ttlMs` of the services that share the history, which is kept for this long after its last push. */
  readonly keptMs: number;
}

/** A push with its place in the history of its topic. */
export type PlacedPush = PushMessage & { readonly place: Place };

export function isPlaced(push: PushMessage): push is PlacedPush {
  return push.place !== undefined;
}

/** How a push is appended. */
export interface AppendOptions extends PublishOptions {
  /** Called as soon as the position is known and the delivery to all servers is under way. */
  readonly onPlaced: (position: Position) => void;
}

export interface AppendReceipt extends TransportReceipt {
  /** Absent when the position did not become known in time. */
  readonly position?: Position;
  /** What this server did; absent when it is not attached to the topic. `isOpen` when the push is a repetition. */
  readonly here?: ServerReply;
}

/** Keeps what was pushed on a topic, for clients that were away. */
export interface TopicHistory {
  /**
   * Places the push after the last one of its topic, keeps it, and hands it to every attached server, including this
   * one. A repetition (a push with the same `id`, name and target) within `idempotencyWindowMs` is not placed again,
   * and has the position of the first. Rejects when the push was not placed or when that is not known, with a
   * `LoopTransportError` if one of its codes gives the reason.
   */
  append(
    topic: Topic,
    push: PushMessage,
    policy: TopicPolicy,
    options: AppendOptions,
  ): Promise<AppendReceipt>;

  /** Returns the position of the last push of each topic. A topic without a history is given a first position. */
  positionsOf(topics: readonly Topic[]): Promise<readonly Position[]>;

  /**
   * Returns what was pushed after the position, oldest first; `undefined` when something may be missing: too much was
   * pushed since, some of it is too old, or the position is not from this history.
   */
  since(topic: Topic, position: Position): Promise<readonly PlacedPush[] | undefined>;

  /** Returns the last push, if it is not too old. */
  latest(topic: Topic): Promise<PlacedPush | undefined>;

  /**
   * States that the topic has assigned this position. A history that contradicts this has lost confirmed pushes, and is
   * started anew: otherwise a client could resume from before the loss as if nothing were missing. Absent where nothing
   * can be lost.
   */
  vouchFor?(topic: Topic, position: Position): Promise<void>;
}
