import { type ArgumentsHost, IntrinsicException } from '@nestjs/common';
import type { ContextId, NestContainer } from '@nestjs/core';
import { BaseExceptionFilterContext } from '@nestjs/core/exceptions/base-exception-filter-context.js';
import { WsException } from '@nestjs/websockets';
import { type FoundHandler, methodOf } from './found-handler.js';
import { type GivenUp, lastValue } from './last-value.js';

const EXCEPTION_FILTERS_METADATA = '__exceptionFilters__';

interface BoundFilter {
  readonly func: (exception: unknown, host: ArgumentsHost) => unknown;
  readonly exceptionMetatypes: readonly (new (...args: never[]) => unknown)[];
}

/**
 * The `@UseFilters` of a method and its class. Global filters are not used, as Nest does not use them in gateways: they
 * are written for HTTP, and would replace the real error with their own failure to find a response.
 */
export class MethodFilters extends BaseExceptionFilterContext {
  constructor(container: Pick<NestContainer, 'getModules'>) {
    super(container as NestContainer);
  }

  filtersOf(
    { host, methodName, wrapper }: FoundHandler,
    instance: object,
    contextId: ContextId | undefined,
  ): readonly BoundFilter[] {
    this.moduleContext = host.token;
    const filters: BoundFilter[] = this.createContext(
      instance,
      methodOf(instance, methodName),
      EXCEPTION_FILTERS_METADATA,
      contextId,
      contextId === undefined ? undefined : wrapper.id,
    );
    return filters.toReversed(); // the method's own come first
  }
}

/** What the filters of a failed call are given, and where a failure of a filter is reported. */
export interface FailedCall {
  readonly host: ArgumentsHost;
  readonly givenUp: GivenUp | undefined;
  filterFailed(failure: unknown): void;
}

/**
 * The reply of the first filter for this error. The error is rethrown if there is no such filter, or if the filter
 * returns `undefined`: it only observed the error, or left the answer to `BaseWsExceptionFilter`, which has no socket
 * here to write to.
 */
export async function applyFilters(
  filters: readonly BoundFilter[],
  error: unknown,
  call: FailedCall,
): Promise<unknown> {
  const filter = filters.find(
    ({ exceptionMetatypes: types }) =>
      types.length === 0 || types.some((type) => error instanceof type),
  );
  const reply = filter === undefined ? undefined : await replyOf(filter, error, call);
  if (reply === undefined) throw error;
  return reply;
}

/**
 * An exception that a filter throws on purpose replaces the error. Anything else is a bug in the filter and must not
 * hide the original error; that includes `BaseWsExceptionFilter` on Nest 11, which fails because there is no
 * `client.emit`.
 */
async function replyOf(filter: BoundFilter, error: unknown, call: FailedCall): Promise<unknown> {
  try {
    return await lastValue(await filter.func(error, call.host), call.givenUp);
  } catch (thrown) {
    if (isDeliberate(thrown)) throw thrown;
    if (thrown !== error) call.filterFailed(thrown);
    return undefined;
  }
}

function isDeliberate(thrown: unknown): boolean {
  return thrown instanceof IntrinsicException || thrown instanceof WsException;
}
