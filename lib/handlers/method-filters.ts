import type { ArgumentsHost } from '@nestjs/common';
import type { ContextId, NestContainer } from '@nestjs/core';
import { BaseExceptionFilterContext } from '@nestjs/core/exceptions/base-exception-filter-context.js';
import type { FoundHandler } from './found-handler.js';
import { methodOf } from './found-handler.js';

const EXCEPTION_FILTERS_METADATA = '__exceptionFilters__';

interface BoundFilter {
  readonly func: (exception: unknown, host: ArgumentsHost) => unknown;
  readonly exceptionMetatypes: readonly (new (...args: never[]) => unknown)[];
}

/**
 * The `@UseFilters` of a method and its class. Global filters are not asked for, as Nest does not ask for them in
 * gateways: they are written for HTTP, and would replace the real error by their own failure to find a response.
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

/** What the first filter for this error makes of it; rethrows the error when there is none. */
export function applyFilters(
  filters: readonly BoundFilter[],
  error: unknown,
  host: ArgumentsHost,
): unknown {
  const filter = filters.find(
    ({ exceptionMetatypes: types }) =>
      types.length === 0 || types.some((type) => error instanceof type),
  );
  if (filter === undefined) throw error;
  return filter.func(error, host);
}
