import { Injectable } from '@nestjs/common';
import {
  type ContextId,
  ContextIdFactory,
  ExternalContextCreator,
  ModuleRef,
  ModulesContainer,
} from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { HandlerMetadataStorage } from '@nestjs/core/helpers/handler-metadata-storage.js';
import { Injector } from '@nestjs/core/injector/injector.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { describeHandler, type FoundHandler, methodOf } from './found-handler.js';
import {
  type HandlerArgs,
  markParameters,
  PARAM_ARGS_METADATA,
  PARAMS_FACTORY,
} from './handler-params.js';
import { lastValue } from './last-value.js';
import { applyFilters, MethodFilters } from './method-filters.js';

/** Resolves with the reply. `signal` ends what an observable still has to say. */
export type Invocation = (args: HandlerArgs, signal?: AbortSignal) => Promise<unknown>;

/** Makes found methods callable with everything that Nest puts around a handler. */
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

  /** An event handler: guards, interceptors, pipes and filters run around it. */
  eventInvocation(found: FoundHandler): Invocation {
    markParameters(found);
    const contexts = this.contextsOf(found);
    if (found.wrapper.isDependencyTreeStatic())
      return this.bindEvent(found, contexts, found.wrapper.instance);
    return async (args, signal) => {
      const contextId = this.newContext({ connection: args[0], data: args[1], event: args[2] });
      const instance = await this.instanceFor(found, contextId);
      return this.bindEvent(found, contexts, instance, contextId)(args, signal);
    };
  }

  /** A lifecycle hook: a plain call. A scoped provider can inject `request`. */
  async callHook(found: FoundHandler, request: object, args: readonly unknown[]): Promise<void> {
    const instance = found.wrapper.isDependencyTreeStatic()
      ? found.wrapper.instance
      : await this.instanceFor(found, this.newContext(request));
    await methodOf(instance, found.methodName).apply(instance, [...args]);
  }

  private bindEvent(
    found: FoundHandler,
    contexts: ExternalContextCreator,
    instance: object,
    contextId?: ContextId,
  ): Invocation {
    const run = contexts.create(
      instance,
      methodOf(instance, found.methodName),
      found.methodName,
      PARAM_ARGS_METADATA,
      PARAMS_FACTORY as never,
      contextId,
      contextId === undefined ? undefined : found.wrapper.id,
      { guards: true, interceptors: true, filters: false },
      'ws',
    );
    const recover = this.recovery(found, instance, contextId);
    return async (args, signal) => {
      try {
        return await lastValue(await (run(...args) as Promise<unknown>), signal);
      } catch (error) {
        return recover(error, args, signal);
      }
    };
  }

  private recovery(found: FoundHandler, instance: object, contextId: ContextId | undefined) {
    const filters = this.filters.filtersOf(found, instance, contextId);
    const method = methodOf(instance, found.methodName);
    return (error: unknown, args: HandlerArgs, signal: AbortSignal | undefined) => {
      const host = new ExecutionContextHost([...args], instance.constructor as never, method);
      host.setType('ws');
      const filterFailed = (failure: unknown): void => this.reportFilter(found, failure);
      return applyFilters(filters, error, { host, signal, filterFailed });
    };
  }

  private reportFilter(found: FoundHandler, failure: unknown): void {
    const what = `An exception filter of ${describeHandler(found)}`;
    this.logger.warn(what, `${what} failed; the error that it was given is answered`, failure);
  }

  /**
   * Nest looks the enhancers up in the module that provides the handler's class, and does not look among controllers:
   * it would run a controller's handler without its guards. The module is known here, so it is not looked for.
   *
   * The parameter marks that it has read are kept per handler too, because Nest 11 keeps them by the names of class and
   * method, and two classes may have the same. And an observable is left as the interceptors made it: Nest's own
   * reduction fails for an empty one, and cannot be ended.
   */
  private contextsOf({ host }: FoundHandler): ExternalContextCreator {
    const moduleKey = (): string => host.token;
    return Object.assign(Object.create(this.contexts) as ExternalContextCreator, {
      getHostModuleKey: moduleKey,
      getContextModuleKey: moduleKey,
      handlerMetadataStorage: new HandlerMetadataStorage(),
      transformToResult: (result: unknown): unknown => result,
    });
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
