import type { CanActivate, NestInterceptor, PipeTransform } from '@nestjs/common';
import { type ContextId, ExternalContextCreator } from '@nestjs/core';
import { HandlerMetadataStorage } from '@nestjs/core/helpers/handler-metadata-storage.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { describeHandler, type FoundHandler, methodOf } from './found-handler.js';
import { PARAM_ARGS_METADATA, PARAMS_FACTORY } from './handler-params.js';

/** A parameter that carries a decorator. */
export interface MarkedParameter {
  readonly index: number;
  /** Nest's number, or the name of a decorator of the application's own. */
  readonly type: number | string;
  readonly data?: unknown;
  readonly metatype?: unknown;
  readonly schema?: unknown;
  readonly pipes: readonly PipeTransform[];
  extractValue(...args: readonly unknown[]): unknown;
}

/** What Nest puts around one handler. */
export interface Enhancers {
  readonly guards: readonly CanActivate[];
  readonly interceptors: NestInterceptor[];
  /** Those of the handler, its class and the application; a parameter's own come after them. */
  readonly pipes: readonly PipeTransform[];
  readonly parameters: readonly MarkedParameter[];
}

/** The parts of Nest's creator that are overridden below. */
interface CreatorParts {
  readonly interceptorsContextCreator: { create(...args: unknown[]): NestInterceptor[] };
}

/**
 * Has Nest find what it would put around a handler, which takes knowledge of modules, scopes and versions that only Nest
 * has, and collects it instead of having Nest run it: its way of running is asynchronous at each step, needed or not.
 *
 * Nest looks the enhancers up in the module that provides the handler's class, and does not look among controllers: it
 * would find a controller's handler without its guards. The module is known here, so it is not looked for. And the
 * parameter marks that it has read are kept per handler, because Nest 11 keeps them by the names of class and method, and
 * two classes may have the same.
 */
export class EnhancerFinder {
  private readonly creator: ExternalContextCreator;
  private collected: Partial<Enhancers> = {};

  constructor(
    creator: ExternalContextCreator,
    private readonly found: FoundHandler,
  ) {
    const { interceptorsContextCreator } = creator as unknown as CreatorParts;
    const moduleKey = (): string => found.host.token;
    this.creator = Object.assign(Object.create(creator) as ExternalContextCreator, {
      getHostModuleKey: moduleKey,
      getContextModuleKey: moduleKey,
      handlerMetadataStorage: new HandlerMetadataStorage(),
      createGuardsFn: (guards: CanActivate[]) => this.collect({ guards }),
      createPipesFn: (pipes: PipeTransform[], parameters: MarkedParameter[]) =>
        this.collect({ pipes, parameters }),
      interceptorsContextCreator: {
        create: (...args: unknown[]): NestInterceptor[] => {
          const interceptors = interceptorsContextCreator.create(...args);
          this.collect({ interceptors });
          return interceptors;
        },
      },
    });
  }

  find(instance: object, contextId: ContextId | undefined): Enhancers {
    const { methodName, wrapper } = this.found;
    this.collected = {};
    this.creator.create(
      instance,
      methodOf(instance, methodName),
      methodName,
      PARAM_ARGS_METADATA,
      PARAMS_FACTORY as never,
      contextId,
      contextId === undefined ? undefined : wrapper.id,
      { guards: true, interceptors: true, filters: false },
      'ws',
    );
    return this.complete(this.collected);
  }

  /** Nest takes `null` for "there are none". */
  private collect(some: Partial<Enhancers>): null {
    Object.assign(this.collected, some);
    return null;
  }

  /** A handler must never run without guards because a version of Nest finds them by another way. */
  private complete({ guards, interceptors, pipes, parameters }: Partial<Enhancers>): Enhancers {
    if (guards && interceptors && pipes && parameters) {
      return { guards, interceptors, pipes, parameters };
    }
    throw new LoopWsBootError(
      `LoopWs: the guards, interceptors and pipes of ${describeHandler(this.found)} could not be found. This version ` +
        'of @nestjs/core is not supported; see "peerDependencies" of nestjs-loopws.',
    );
  }
}
