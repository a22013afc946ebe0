import { Injectable } from '@nestjs/common';
import {
  type ContextId,
  ContextIdFactory,
  ExternalContextCreator,
  ModuleRef,
  ModulesContainer,
} from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { Injector } from '@nestjs/core/injector/injector.js';
import { type NowOrLater, settle } from '../util/now-or-later.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { enhancedCall } from './enhanced-call.js';
import { EnhancerFinder } from './enhancers.js';
import { describeHandler, type FoundHandler, methodOf } from './found-handler.js';
import { type HandlerArgs, markParameters } from './handler-params.js';
import { type GivenUp, lastValue } from './last-value.js';
import { applyFilters, MethodFilters } from './method-filters.js';

/**
 * Returns the reply; throws, or rejects with, what was thrown. `givenUp` ends the observable that the handler returned.
 */
export type Invocation = (args: HandlerArgs, givenUp?: GivenUp) => NowOrLater<unknown>;

/** Makes found methods callable, with everything that Nest puts around a handler. */
@Injectable()
export class HandlerInvoker {
  private readonly injector = new Injector();
  private readonly filters: MethodFilters;

  constructor(
    private readonly contexts: ExternalContextCreator,
    private readonly moduleRef: ModuleRef,
    modules: ModulesContainer,
    private readonly logger: SampledLogger,
  ) {
    this.filters = new MethodFilters({ getModules: () => modules });
  }

  /** Binds an event handler, with its guards, interceptors, pipes and filters. */
  eventInvocation(found: FoundHandler): Invocation {
    markParameters(found);
    const enhancers = new EnhancerFinder(this.contexts, found);
    if (found.wrapper.isDependencyTreeStatic())
      return this.bindEvent(found, enhancers, found.wrapper.instance);
    return async (args, givenUp) => {
      const contextId = this.newContext({ connection: args[0], data: args[1], event: args[2] });
      const instance = await this.instanceFor(found, contextId);
      return this.bindEvent(found, enhancers, instance, contextId)(args, givenUp);
    };
  }

  /** Calls a lifecycle hook directly, without enhancers. A scoped provider can inject `request`. */
  async callHook(found: FoundHandler, request: object, args: readonly unknown[]): Promise<void> {
    const instance = found.wrapper.isDependencyTreeStatic()
      ? found.wrapper.instance
      : await this.instanceFor(found, this.newContext(request));
    await methodOf(instance, found.methodName).apply(instance, [...args]);
  }

  private bindEvent(
    found: FoundHandler,
    enhancers: EnhancerFinder,
    instance: object,
    contextId?: ContextId,
  ): Invocation {
    const method = methodOf(instance, found.methodName);
    const call = enhancedCall(instance, method, enhancers.find(instance, contextId));
    const recover = this.recovery(found, instance, contextId);
    return (args, givenUp) =>
      settle(
        () => call(args),
        (result) => lastValue(result, givenUp),
        (error) => recover(error, args, givenUp),
      );
  }

  private recovery(found: FoundHandler, instance: object, contextId: ContextId | undefined) {
    const filters = this.filters.filtersOf(found, instance, contextId);
    const method = methodOf(instance, found.methodName);
    return (error: unknown, args: HandlerArgs, givenUp: GivenUp | undefined) => {
      const host = new ExecutionContextHost([...args], instance.constructor as never, method);
      host.setType('ws');
      const filterFailed = (failure: unknown): void => this.reportFilter(found, failure);
      return applyFilters(filters, error, { host, givenUp, filterFailed });
    };
  }

  private reportFilter(found: FoundHandler, failure: unknown): void {
    const what = `An exception filter of ${describeHandler(found)}`;
    this.logger.warn(what, `${what} failed; the client gets the original error`, failure);
  }

  private newContext(request: object): ContextId {
    const contextId = ContextIdFactory.create();
    this.moduleRef.registerRequestByContextId(request, contextId);
    return contextId;
  }

  private instanceFor({ wrapper, host }: FoundHandler, contextId: ContextId): Promise<object> {
    const collection = host.controllers.has(wrapper.token) ? host.controllers : host.providers;
    return this.injector.loadPerContext(wrapper.instance, host, collection, contextId, wrapper);
  }
}
