import type { CanActivate, NestInterceptor, PipeTransform } from '@nestjs/common';
import { type ContextId, ExternalContextCreator } from '@nestjs/core';
import { HandlerMetadataStorage } from '@nestjs/core/helpers/handler-metadata-storage.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { describeHandler, type FoundHandler, methodOf } from './found-handler.js';
import { PARAM_ARGS_METADATA, PARAMS_FACTORY } from './handler-params.js';

/** A parameter that has a decorator. */
export interface MarkedParameter {
  readonly index: number;
  /** Nest's number of the parameter type, or the name of a custom decorator. */
  readonly type: number | string;
  readonly data?: unknown;
  readonly metatype?: unknown;
  readonly schema?: unknown;
  readonly pipes: readonly PipeTransform[];
  extractValue(...args: readonly unknown[]): unknown;
}

/** The enhancers that Nest applies to one handler. */
export interface Enhancers {
  readonly guards: readonly CanActivate[];
  readonly interceptors: NestInterceptor[];
  /** Pipes of the handler, its class and the application; a parameter's own pipes run after them. */
  readonly pipes: readonly PipeTransform[];
  readonly parameters: readonly MarkedParameter[];
}

/** The part of Nest's `ExternalContextCreator` that is wrapped below. */
interface CreatorParts {
  readonly interceptorsContextCreator: { create(...args: unknown[]): NestInterceptor[] };
}

/**
 * Lets Nest find the enhancers of a handler, because only Nest knows the modules, scopes and versions involved.
 * Collects them instead of letting Nest run them, because Nest is asynchronous at every step, needed or not.
 *
 * Nest looks enhancers up in the module that provides the handler's class, but does not search controllers: it would
 * find a controller's handler without its guards. The module is known here, so that search is bypassed. The parameter
 * marks that Nest has read are kept per handler, because Nest 11 keeps them by class name and method name, which two
 * classes may share.
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

  /** Returns `null`, which tells Nest that there are none. */
  private collect(some: Partial<Enhancers>): null {
    Object.assign(this.collected, some);
    return null;
  }

  /** Throws rather than let a handler run without its guards because another version of Nest finds them differently. */
  private complete({ guards, interceptors, pipes, parameters }: Partial<Enhancers>): Enhancers {
    if (guards && interceptors && pipes && parameters) {
      return { guards, interceptors, pipes, parameters };
    }
    throw new LoopWsBootError(
      `LoopWs: the guards, interceptors and pipes of ${describeHandler(this.found)} could not be determined. This ` +
        'version of @nestjs/core is not supported; see "peerDependencies" of nestjs-loopws.',
    );
  }
}
