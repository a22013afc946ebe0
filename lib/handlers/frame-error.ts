import { randomUUID } from 'node:crypto';
import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { LoopTransportError, LoopWsException } from '../loop-ws.errors.js';
import { ErrorCode } from '../protocol/error-code.js';
import type { SampledLogger } from '../util/sampled-logger.js';

/** The error that a client is sent. */
export interface FrameError {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
  /** Set when the server failed: the id by which the log and the message refer to the failure. */
  readonly reference?: string;
  /** Set if other servers could not be reached: the reason, for the log. */
  readonly outage?: string;
}

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: ErrorCode.InvalidPayload,
  401: ErrorCode.Unauthorized,
  403: ErrorCode.Forbidden,
  404: ErrorCode.NotFound,
  422: ErrorCode.InvalidPayload,
  429: ErrorCode.RateLimited,
  503: ErrorCode.Unavailable,
};

/**
 * Converts any thrown value to the error that the client is sent. Refusals are sent as they are. An unknown failure
 * becomes `internal` with a reference, because its message may reveal more than a client should know. Never throws: a
 * thrown object may itself throw when it is inspected, and is then an unknown failure too.
 */
export function toFrameError(error: unknown): FrameError {
  try {
    return refusal(error) ?? failure();
  } catch {
    return failure();
  }
}

/** Whether Nest code denies something by throwing, for example a `ForbiddenException`. Never throws. */
export function isDenial(error: unknown): error is HttpException {
  const status = statusOf(error);
  return status >= 400 && status < 500;
}

/** Refusals are not logged, because they are answers. An outage is logged without a stack: the code is not at fault. */
export function logFailure(
  logger: SampledLogger,
  what: string,
  { reference, outage }: FrameError,
  error: unknown,
): void {
  if (reference !== undefined) logger.error(what, `${what} failed (${reference})`, error);
  if (outage !== undefined) logger.warn(what, `${what} did not reach the other servers: ${outage}`);
}

function refusal(error: unknown): FrameError | undefined {
  if (error instanceof LoopWsException) {
    const { code, message, details } = error;
    return { code, message, ...(details === undefined ? {} : { details }) };
  }
  if (error instanceof LoopTransportError) return notConnected(error);
  if (isDenial(error) || isOutage(error)) return fromHttp(error);
  if (error instanceof WsException) return { code: ErrorCode.Rejected, message: error.message };
  return undefined;
}

function notConnected({ message }: LoopTransportError): FrameError {
  return {
    code: ErrorCode.Unavailable,
    message: 'The server cannot do this right now. Try again.',
    outage: message,
  };
}

function failure(): FrameError {
  const reference = randomUUID();
  return {
    code: ErrorCode.Internal,
    message: `The server failed (reference ${reference}).`,
    reference,
  };
}

/** A 503 says that the server cannot do it now. Other failures may reveal more than a client should know. */
function isOutage(error: unknown): error is HttpException {
  return statusOf(error) === 503;
}

/** 0 if it has none that can be read: a thrown object may itself throw when it is inspected. */
function statusOf(error: unknown): number {
  try {
    return error instanceof HttpException ? error.getStatus() : 0;
  } catch {
    return 0;
  }
}

/** Validation pipes put the array of complaints into the `message` of the response. */
function fromHttp(error: HttpException): FrameError {
  const code = CODE_BY_STATUS[error.getStatus()] ?? ErrorCode.Rejected;
  const response = error.getResponse() as { readonly message?: unknown } | string | null;
  const complaints = typeof response === 'object' ? response?.message : undefined;
  return Array.isArray(complaints)
    ? { code, message: error.message, details: complaints }
    : { code, message: error.message };
}
