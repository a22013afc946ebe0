/** Codes of `error` frames and of `denied` patterns. An application adds its own with `LoopWsException`. */
export const ErrorCode = {
  /** The frame is not JSON text. */
  NotJson: 'not_json',
  /** A binary frame: the protocol is text. */
  BinaryFrame: 'binary_frame',
  /** JSON, but not the shape of any frame: a field is missing or has the wrong type. */
  BadFrame: 'bad_frame',
  /** `op` names no operation of the protocol. */
  UnknownOp: 'unknown_op',
  /** Objects and arrays nested deeper than `maxDepth`. */
  TooDeep: 'too_deep',
  /** An own key `__proto__`, or `constructor` with a `prototype`. */
  ForbiddenKey: 'forbidden_key',
  /** `event` is not a full name `service:event`. */
  BadName: 'bad_name',
  /** Not one of the five pattern forms. */
  BadPattern: 'bad_pattern',
  /** The service is not declared on the server. */
  UnknownService: 'unknown_service',
  /** No handler listens to this event. */
  NoHandler: 'no_handler',
  /** The payload does not satisfy the event's schema or a pipe. */
  InvalidPayload: 'invalid_payload',
  /** The connection holds `maxSubscriptions` patterns already. */
  TooManySubscriptions: 'too_many_subscriptions',
  /** No open question has this `ask` number. */
  UnknownAsk: 'unknown_ask',
  /** The credentials were refused. */
  Unauthorized: 'unauthorized',
  /** A guard or `authorize` said no. */
  Forbidden: 'forbidden',
  /** What the frame refers to does not exist. */
  NotFound: 'not_found',
  /** The handler refused, for a reason of the application. */
  Rejected: 'rejected',
  /** More frames than the rate allows. */
  RateLimited: 'rate_limited',
  /** The handler did not finish within `handlerTimeoutMs`. */
  Timeout: 'timeout',
  /** The server cannot do this right now; try again. */
  Unavailable: 'unavailable',
  /** The server failed; the message carries a reference, under which its log has the reason. */
  Internal: 'internal',
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];
