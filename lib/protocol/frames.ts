/** Ties an answer to its frame: a non-negative safe integer, or a text of 1 to 64 characters. */
export type FrameId = number | string;

/** The `id` field of a frame that answers one with this `id`, or with none. */
export function idField(id: FrameId | undefined): { readonly id?: FrameId } {
  return id === undefined ? {} : { id };
}

/** What a client may send. */
export type ClientFrame =
  | {
      readonly op: 'subscribe';
      readonly id?: FrameId;
      readonly patterns: readonly string[];
      /** Where the client was in each of its topics, or `latest`. */
      readonly since?: Readonly<Record<string, string>>;
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

/** First frame of every connection: from here on each push is covered by the promises. */
export interface WelcomeFrame {
  readonly op: 'welcome';
  readonly accountId: string;
  readonly connectionId: string;
  readonly serverId: string;
  readonly subscriptions: readonly string[];
  /** The client should ping when it heard nothing for this long. */
  readonly heartbeatMs: number;
  /** Longest frame that the server takes, in bytes. */
  readonly maxPayload: number;
  /** Most patterns that the server takes in one frame. */
  readonly maxPatterns?: number;
  /** Frames that the server takes per second, averaged, and at once before that applies. */
  readonly framesPerSecond?: number;
  readonly frameBurst?: number;
  /** Time until the credentials expire; absent when they do not. */
  readonly expiresInMs?: number;
  /** Where the topics are from which the client gets durable events. */
  readonly positions?: Readonly<Record<string, string>>;
}

/** Answer to `subscribe`, `unsubscribe` and `auth`; which fields are there depends on the question. */
export interface OkFrame {
  readonly op: 'ok';
  readonly id?: FrameId;
  readonly granted?: readonly string[];
  readonly denied?: readonly DeniedPattern[];
  readonly removed?: readonly string[];
  /** Durable events that were replayed, by topic. */
  readonly resumed?: Readonly<Record<string, number>>;
  /** Topics that are new to the connection, and the position from which it gets them. */
  readonly positions?: Readonly<Record<string, string>>;
  /** Topics of which events are lost, and the position from which they go on. */
  readonly reset?: Readonly<Record<string, string>>;
  readonly expiresInMs?: number;
}

export interface ErrorFrame {
  readonly op: 'error';
  readonly id?: FrameId;
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
}

/** A push. With `ask` the server wants an `answer` frame with the same number. */
export interface EventFrame {
  readonly op?: undefined;
  readonly event: string;
  readonly data?: unknown;
  readonly ask?: number;
  /** Of a durable event: its topic, and its place there. */
  readonly topic?: string;
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
  | { readonly op: 'reset'; readonly topics: Readonly<Record<string, string>> }
  | { readonly op: 'positions'; readonly topics: Readonly<Record<string, string>> }
  | { readonly op: 'expiring'; readonly expiresInMs?: number }
  | { readonly op: 'reconnect'; readonly afterMs: number };
