/** Codes of errors that the client itself finds; errors of the server carry the server's code. */
export const ClientErrorCode = {
  /** An option of `connect` has a value that cannot work. */
  BadOption: 'bad_option',
  /** The platform has no `WebSocket`, and none was passed. */
  NoWebSocket: 'no_web_socket',
  /** Not one of the five pattern forms. */
  BadPattern: 'bad_pattern',
  /** Not a full name `service:event`. */
  BadName: 'bad_name',
  /** The data cannot be written as JSON. */
  BadData: 'bad_data',
  /** The name has an answerer already. */
  DuplicateAnswer: 'duplicate_answer',
  /** The server has asked what nobody here answers. */
  NoHandler: 'no_handler',
  /** `maxBufferedBytes` are waiting to be sent. */
  BufferFull: 'buffer_full',
  /** The frame is longer than the server takes. */
  FrameTooLarge: 'frame_too_large',
  /** The client was closed, by the application or for good by the server. */
  Closed: 'closed',
  /** The new credentials do not allow what was subscribed. */
  Forbidden: 'forbidden',
  /** There is no open connection, and waiting for one makes no sense. */
  NotOpen: 'not_open',
  /** No answer within the deadline. */
  Timeout: 'timeout',
  /** The connection broke after the frame was written: whether the server acted on it is unknown. */
  ConnectionLost: 'connection_lost',
  /** A connection could not be opened. */
  ConnectFailed: 'connect_failed',
  /** The server sent something that is not a frame this client knows. */
  UnreadableFrame: 'unreadable_frame',
  /** Events are lost, and nobody listens by `onReset`. */
  HistoryLost: 'history_lost',
  /** The option `storage` threw or rejected, or held something else. */
  StorageFailed: 'storage_failed',
  /** A handler or listener of the application threw; `cause` is what it threw. */
  HandlerFailed: 'handler_failed',
} as const;

export type ClientErrorCode = (typeof ClientErrorCode)[keyof typeof ClientErrorCode];

export interface LoopClientErrorOptions {
  readonly pattern?: string;
  readonly details?: unknown;
  readonly cause?: unknown;
}

/** Everything that the client throws, rejects with or reports. Answerers throw it too: its code is what the server is told. */
export class LoopClientError extends Error {
  /** A {@link ClientErrorCode}, or the code that the server sent. */
  readonly code: string;
  /**
   * The pattern that the server did not subscribe, if it is about one: its handlers stay, and it is asked for again on the
   * next connection.
   */
  readonly pattern: string | undefined;
  /** What the server added, or an excerpt of what could not be read. */
  readonly details: unknown;

  constructor(code: string, message: string, options: LoopClientErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.pattern = options.pattern;
    this.details = options.details;
  }

  override get name(): string {
    return 'LoopClientError';
  }
}

/** What an error says, from its code and the facts that belong to it. */
export type Explain = (code: string, facts: readonly unknown[]) => string;

/** The shortest that still tells everything: pages that are built for production leave out the sentences. */
let explain: Explain = (code, facts) => [code, ...facts].join(' ');

export function explainErrorsBy(sentences: Explain): void {
  explain = sentences;
}

/** An error that the client itself has found. The facts of each code are listed in `explanations.ts`. */
export function clientError(code: ClientErrorCode, ...facts: readonly unknown[]): LoopClientError {
  return clientErrorWith({}, code, ...facts);
}

export function clientErrorWith(
  options: LoopClientErrorOptions,
  code: ClientErrorCode,
  ...facts: readonly unknown[]
): LoopClientError {
  return new LoopClientError(code, explain(code, facts), options);
}

/** After these errors the server may decide, or has decided, otherwise than to refuse. */
export function isTemporary(code: string): boolean {
  return /^(timeout|internal|unavailable|not_open|connection_lost)$/.test(code);
}

/** Something that was called has thrown. */
export function failure(code: ClientErrorCode, cause: unknown): LoopClientError {
  return clientErrorWith({ cause }, code, messageOf(cause));
}

/** Anything can be thrown, also what `String` cannot turn into text. */
export function messageOf(thrown: unknown): string {
  const { message = thrown } = (thrown ?? {}) as Partial<Error>;
  return typeof message === 'string' ? message : typeof message;
}
