/** Encoded positions, by the names that clients use for their topics. */
export type TopicPositions = Readonly<Record<string, string>>;

/** Ties an answer to its frame: a non-negative safe integer, or a string of 1 to 64 characters. */
export type FrameId = number | string;

/** The `id` field for the answer to a frame with this `id`; no field when the frame had none. */
export function idField(id: FrameId | undefined): { readonly id?: FrameId } {
  return id === undefined ? {} : { id };
}

/** What a client may send. */
export type ClientFrame =
  | {
      readonly op: 'subscribe';
      readonly id?: FrameId;
      readonly patterns: readonly string[];
      /** The client's position in each of its topics, or `latest`. */
      readonly since?: TopicPositions;
    }
  | { readonly op: 'unsubscribe'; readonly id?: FrameId; readonly patterns: readonly string[] }
  | { readonly op: 'event'; readonly id?: FrameId; readonly event: string; readonly data: unknown }
  | { readonly op: 'answer'; readonly id?: FrameId; readonly ask: number; readonly data: unknown }
  | {
      readonly op: 'answer';
      readonly id?: FrameId;
      readonly ask: number;
      readonly error: AnswerError;
    }
  | { readonly op: 'auth'; readonly id?: FrameId; readonly token: string }
  | { readonly op: 'ping'; readonly id?: FrameId };

/** Why a client could not answer a question. */
export interface AnswerError {
  readonly code: string;
  readonly message: string;
}

/** A pattern that was not subscribed, and why. */
export interface DeniedPattern {
  readonly pattern: string;
  readonly code: string;
  readonly message: string;
}

/** First frame of every connection: every later push is covered by the promises. */
export interface WelcomeFrame {
  readonly op: 'welcome';
  readonly accountId: string;
  readonly connectionId: string;
  readonly serverId: string;
  readonly subscriptions: readonly string[];
  /** The client should ping when it has heard nothing for this long, in milliseconds. */
  readonly heartbeatMs: number;
  /** Longest frame that the server accepts, in bytes. */
  readonly maxPayload: number;
  /** Most patterns that the server accepts in one `subscribe`. */
  readonly maxPatterns?: number;
  /** Frames per second that the server accepts on average. */
  readonly framesPerSecond?: number;
  /** Frames that the server accepts at once before the average applies. */
  readonly frameBurst?: number;
  /** Time until the credentials expire, in milliseconds; absent when they do not. */
  readonly expiresInMs?: number;
  /** The current position of each topic from which the client gets durable events. */
  readonly positions?: TopicPositions;
}

/** Answer to `subscribe`, `unsubscribe` and `auth`; which fields are present depends on the frame that it answers. */
export interface OkFrame {
  readonly op: 'ok';
  readonly id?: FrameId;
  readonly granted?: readonly string[];
  readonly denied?: readonly DeniedPattern[];
  readonly removed?: readonly string[];
  /** Number of durable events that were replayed, by topic. */
  readonly resumed?: Readonly<Record<string, number>>;
  /** Topics that are new to the connection, with the position from which it gets them. */
  readonly positions?: TopicPositions;
  /** Topics of which events are lost, with the position from which they continue. */
  readonly reset?: TopicPositions;
  readonly expiresInMs?: number;
}

export interface ErrorFrame {
  readonly op: 'error';
  readonly id?: FrameId;
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
}

/** A push. With `ask` the server expects an `answer` frame with the same number. */
export interface EventFrame {
  readonly op?: undefined;
  readonly event: string;
  readonly data?: unknown;
  readonly ask?: number;
  /** The topic of a durable event. */
  readonly topic?: string;
  /** The position of a durable event in its topic. */
  readonly pos?: string;
}

/** What a server may send. */
export type ServerFrame =
  | EventFrame
  | WelcomeFrame
  | OkFrame
  | ErrorFrame
  | { readonly op: 'reply'; readonly id: FrameId; readonly data?: unknown }
  | { readonly op: 'pong'; readonly id?: FrameId }
  | { readonly op: 'reset'; readonly topics: TopicPositions }
  | { readonly op: 'positions'; readonly topics: TopicPositions }
  | { readonly op: 'expiring'; readonly expiresInMs?: number }
  | { readonly op: 'reconnect'; readonly afterMs: number };
