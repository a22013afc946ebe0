import { IntrinsicException } from '@nestjs/common';
import { ErrorCode } from './protocol/error-code.js';

/*
 * LoopWsError              base class of the errors that this module throws
 * ├─ LoopWsBootError       an option or a decorator is wrong: the application does not start
 * ├─ LoopPushError         the push was never made: an invalid name or id, or a payload that cannot be sent
 * ├─ LoopAskError          a question got no answer; `reason` says why
 * └─ LoopTransportError    the transport did not accept a message for other servers
 * LoopWsException          thrown by a handler to refuse a frame with a custom error code
 */

export class LoopWsError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** Stops the boot. The message names the option or the method, and the remedy. */
export class LoopWsBootError extends LoopWsError {}

/** A push, a question or a disconnect could not be attempted; nothing was sent to anybody. */
export class LoopPushError extends LoopWsError {}

/** Why a question has no answer. */
export type LoopAskFailure =
  /** No such connection. */
  | 'not_connected'
  /** The connection has no subscription that matches the question's name. */
  | 'filtered'
  /** The connection could not take the frame, or closed before it answered. */
  | 'send_failed'
  /** The client answered with an error; `details` has its `code` and `message`. */
  | 'refused'
  /** No answer within `timeoutMs`, from the client or from a server that may have the connection. */
  | 'timeout'
  /** It is unknown whether the question was asked, because other servers could not be reached. */
  | 'unknown';

export class LoopAskError extends LoopWsError {
  constructor(
    readonly reason: LoopAskFailure,
    message: string,
    readonly details?: { readonly code: string; readonly message: string },
  ) {
    super(message);
  }
}

/** Why the transport did not accept a message for other servers. */
export type LoopTransportFailure =
  /** There is currently no connection to Redis. */
  | 'unavailable'
  /** The limits on messages waiting for Redis are reached. */
  | 'backpressure'
  /** Redis did not answer in time; whether it executed the command is unknown. */
  | 'timeout';

/** The transport did not accept a message for other servers. What had to be done on this server was done. */
export class LoopTransportError extends LoopWsError {
  constructor(
    readonly code: LoopTransportFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Throw it from a handler, guard or pipe: the client gets one error frame with this code, tied to its frame's `id`.
 * It is not logged, because it is an answer and not a failure.
 *
 * @example throw new LoopWsException('room_full', 'This room takes 50 people.', { limit: 50 });
 */
export class LoopWsException extends IntrinsicException {
  override readonly name = 'LoopWsException';

  constructor(
    readonly code: ErrorCode | (string & {}),
    message: string,
    readonly details?: unknown,
  ) {
    super(message);
  }
}
