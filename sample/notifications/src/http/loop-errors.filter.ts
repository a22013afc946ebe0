import { type ArgumentsHost, Catch, type ExceptionFilter, HttpStatus } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { LoopAskError, type LoopAskFailure, LoopPushError } from 'nestjs-loopws';

const STATUS_BY_REASON: Readonly<Record<LoopAskFailure, HttpStatus>> = {
  not_connected: HttpStatus.NOT_FOUND,
  filtered: HttpStatus.CONFLICT,
  refused: HttpStatus.CONFLICT,
  send_failed: HttpStatus.BAD_GATEWAY,
  timeout: HttpStatus.GATEWAY_TIMEOUT,
  unknown: HttpStatus.SERVICE_UNAVAILABLE,
};

/** Tells REST callers what the bus could not do, instead of an opaque 500. */
@Catch(LoopPushError, LoopAskError)
export class LoopErrorsFilter implements ExceptionFilter<LoopPushError | LoopAskError> {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(error: LoopPushError | LoopAskError, context: ArgumentsHost): void {
    const { statusCode, reason } = describe(error);
    const body = { statusCode, error: reason, message: error.message };
    this.host.httpAdapter.reply(context.switchToHttp().getResponse(), body, statusCode);
  }
}

function describe(error: LoopPushError | LoopAskError): { statusCode: number; reason: string } {
  if (error instanceof LoopPushError) {
    return { statusCode: HttpStatus.BAD_REQUEST, reason: 'not_pushed' };
  }
  return { statusCode: STATUS_BY_REASON[error.reason], reason: error.reason };
}
