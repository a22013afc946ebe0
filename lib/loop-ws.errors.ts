import { IntrinsicException } from '@nestjs/common';
import { ErrorCode } from './protocol/error-code.js';

/*
 * LoopWsError              everything this module throws at its user's code
 * ├─ LoopWsBootError       an option or a decorator is wrong: the application does not start
 * ├─ LoopPushError         the push was never made: a bad name or id, or a payload that cannot travel
 * ├─ LoopAskError          a question got no answer, and why
 * └─ LoopTransportError    the way to other servers did not take something
 * LoopWsException          what a handler throws to refuse a frame with a code of its own
 */

export class LoopWsError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** Stops the boot. The sentence names the option or the method, and the remedy. */
export class LoopWsBootError extends LoopWsError {}

/** A push, a question or a disconnect that could not be made at all; nothing has reached anybody. */
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
  /** No answer within `timeoutMs`, be it of the client or of a server that may have it. */
  | 'timeout'
  /** Nobody can tell whether it was asked, because the other servers could not be reached. */
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

/** Why the way to other servers did not take something. */
export type LoopTransportFailure =
  /** There is no connection to Redis right now. */
  | 'unavailable'
  /** More is on its way already than the limits allow. */
  | 'backpressure'
  /** Redis did not answer in time; whether it did what was asked is not known. */
  | 'timeout';

/** The way to other servers did not take something. What was to be done on this server was done. */
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
 * Not logged, for it is an answer and not a failure.
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
