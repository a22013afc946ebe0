import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { Module } from '@nestjs/core/injector/module.js';
import { LoopWsBootError } from '../loop-ws.errors.js';

/** A decorated method and where it is declared. */
export interface FoundHandler {
  readonly wrapper: InstanceWrapper<object>;
  readonly host: Module;
  readonly methodName: string;
}

/** The name of the method in messages. */
export function describeHandler({ wrapper, methodName }: FoundHandler): string {
  return `${wrapper.name}.${methodName}`;
}

/** Scoped providers have no shared instance, so their class is inspected instead. */
export function prototypeOf(wrapper: InstanceWrapper<object>): object | undefined {
  if (isScoped(wrapper)) return classOf(wrapper)?.prototype as object | undefined;
  const instance: unknown = wrapper.instance;
  return typeof instance === 'object' && instance !== null
    ? (Object.getPrototypeOf(instance) as object)
    : undefined;
}

/** Throws a `LoopWsBootError` for a provider whose handler would run without its dependencies. */
export function requireCallable(found: FoundHandler): void {
  const { wrapper } = found;
  const scope = wrapper.isTransient ? 'transient' : 'request-scoped';
  if (isScoped(wrapper) && wrapper.isFactory) {
    throw new LoopWsBootError(
      `LoopWs: ${describeHandler(found)} is on a ${scope} factory provider, whose result cannot be inspected before ` +
        'a request. Make it a singleton, or provide the class itself.',
    );
  }
  if (wrapper.isTransient) {
    throw new LoopWsBootError(
      `LoopWs: ${describeHandler(found)} is on a transient provider, which is instantiated only for the classes that ` +
        'inject it. Make it a singleton or request-scoped.',
    );
  }
}

function isScoped(wrapper: InstanceWrapper<object>): boolean {
  return wrapper.isTransient || !wrapper.isDependencyTreeStatic();
}

/** A factory does not declare what it makes, but its token may be the class. */
function classOf({ isFactory, token, metatype }: InstanceWrapper<object>) {
  if (!isFactory) return metatype;
  return typeof token === 'function' ? token : undefined;
}

export function methodOf(holder: object, methodName: string): (...args: unknown[]) => unknown {
  return (holder as Record<string, (...args: unknown[]) => unknown>)[methodName]!;
}
