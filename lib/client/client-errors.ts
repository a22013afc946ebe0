/** Codes of errors that the client itself raises; errors from the server carry the server's code. */
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
  /** The name already has an answerer. */
  DuplicateAnswer: 'duplicate_answer',
  /** The server asked a question for which the client has no answerer. */
  NoHandler: 'no_handler',
  /** The frame and the data that already waits to be sent exceed `maxBufferedBytes`. */
  BufferFull: 'buffer_full',
  /** The frame is longer than the server accepts. */
  FrameTooLarge: 'frame_too_large',
  /** The client was closed, by the application or permanently by the server. */
  Closed: 'closed',
  /** The new credentials do not allow a subscribed pattern. */
  Forbidden: 'forbidden',
  /** There is no open connection, and the call does not wait for one. */
  NotOpen: 'not_open',
  /** No answer within the deadline. */
  Timeout: 'timeout',
  /** The connection broke after the frame was written: whether the server acted on it is unknown. */
  ConnectionLost: 'connection_lost',
  /** A connection could not be opened. */
  ConnectFailed: 'connect_failed',
  /** The server sent something that is not a frame this client knows. */
  UnreadableFrame: 'unreadable_frame',
  /** Events are lost, and no listener is registered with `onReset`. */
  HistoryLost: 'history_lost',
  /** The option `storage` threw or rejected, or held something other than positions. */
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

/**
 * Everything that the client throws, rejects with or reports. Answerers can throw it too: the server is then told its
 * code.
 */
export class LoopClientError extends Error {
  /** A {@link ClientErrorCode}, or the code that the server sent. */
  readonly code: string;
  /**
   * The pattern that the server did not subscribe, if the error is about one. Its handlers stay, and it is requested
   * again on the next connection.
   */
  readonly pattern: string | undefined;
  /** What the server added, an excerpt of a frame that could not be read, or the `LoopReset` of `history_lost`. */
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

/** Builds an error message from a code and the facts that belong to it. */
export type Explain = (code: string, facts: readonly unknown[]) => string;

/** The shortest message that still says everything: production builds leave out the sentences. */
let explain: Explain = (code, facts) => [code, ...facts].join(' ');

export function setErrorExplainer(sentences: Explain): void {
  explain = sentences;
}

/** Creates an error that the client itself raises. The facts of each code are listed in `explanations.ts`. */
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

/** Whether this error is not a refusal: its outcome is unknown, or a retry may succeed. */
export function isTemporary(code: string): boolean {
  return /^(timeout|internal|unavailable|not_open|connection_lost)$/.test(code);
}

/** Creates the error for a called function that threw `cause`. */
export function failure(code: ClientErrorCode, cause: unknown): LoopClientError {
  return clientErrorWith({ cause }, code, messageOf(cause));
}

/** Anything can be thrown, including values that `String` cannot convert. */
export function messageOf(thrown: unknown): string {
  const { message = thrown } = (thrown ?? {}) as Partial<Error>;
  return typeof message === 'string' ? message : typeof message;
}
