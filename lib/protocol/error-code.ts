/** Codes of `error` frames and of `denied` patterns. An application can add its own with `LoopWsException`. */
export const ErrorCode = {
  /** The frame is not JSON text. */
  NotJson: 'not_json',
  /** The frame is binary; the protocol uses text frames only. */
  BinaryFrame: 'binary_frame',
  /** The frame is JSON, but not a valid frame: a field is missing or has the wrong type. */
  BadFrame: 'bad_frame',
  /** `op` is not an operation of the protocol. */
  UnknownOp: 'unknown_op',
  /** Objects and arrays are nested deeper than `maxDepth`. */
  TooDeep: 'too_deep',
  /** The frame has a key `__proto__`, or a key `constructor` with a `prototype`. */
  ForbiddenKey: 'forbidden_key',
  /** `event` is not a full name `service:event`. */
  BadName: 'bad_name',
  /** The pattern is not one of the five valid forms. */
  BadPattern: 'bad_pattern',
  /** The service is not declared on the server. */
  UnknownService: 'unknown_service',
  /** No handler listens to this event. */
  NoHandler: 'no_handler',
  /** The payload does not satisfy the event's schema or a pipe. */
  InvalidPayload: 'invalid_payload',
  /** The connection already holds `maxSubscriptions` patterns. */
  TooManySubscriptions: 'too_many_subscriptions',
  /** No open question has this `ask` number. */
  UnknownAsk: 'unknown_ask',
  /** The credentials were refused. */
  Unauthorized: 'unauthorized',
  /** A guard or `authorize` refused. */
  Forbidden: 'forbidden',
  /** What the frame refers to does not exist. */
  NotFound: 'not_found',
  /** The handler refused, for a reason specific to the application. */
  Rejected: 'rejected',
  /** The client sent more frames than the rate allows. */
  RateLimited: 'rate_limited',
  /** The handler did not finish within `handlerTimeoutMs`. */
  Timeout: 'timeout',
  /** The server cannot do this right now; try again. */
  Unavailable: 'unavailable',
  /** The server failed; the message has a reference that identifies the cause in the server's log. */
  Internal: 'internal',
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];
