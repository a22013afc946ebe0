import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { Module } from '@nestjs/core/injector/module.js';
import { LoopWsBootError } from '../loop-ws.errors.js';

/** A decorated method, and where it lives. */
export interface FoundHandler {
  readonly wrapper: InstanceWrapper<object>;
  readonly host: Module;
  readonly methodName: string;
}

/** How messages name the method. */
export function describeHandler({ wrapper, methodName }: FoundHandler): string {
  return `${wrapper.name}.${methodName}`;
}

/** Scoped providers have no instance of their own, so their class is what can be looked at. */
export function prototypeOf(wrapper: InstanceWrapper<object>): object | undefined {
  if (isScoped(wrapper)) return classOf(wrapper)?.prototype as object | undefined;
  const instance: unknown = wrapper.instance;
  return typeof instance === 'object' && instance !== null
    ? (Object.getPrototypeOf(instance) as object)
    : undefined;
}

/** Throws a `LoopWsBootError` for a provider that could not be called: it would run without its dependencies. */
export function requireCallable(found: FoundHandler): void {
  const { wrapper } = found;
  const scope = wrapper.isTransient ? 'transient' : 'request-scoped';
  if (isScoped(wrapper) && wrapper.isFactory) {
    throw new LoopWsBootError(
      `LoopWs: ${describeHandler(found)} is on a ${scope} factory provider, whose result cannot be looked at before a ` +
        'request. Make it a singleton, or provide the class itself.',
    );
  }
  if (wrapper.isTransient) {
    throw new LoopWsBootError(
      `LoopWs: ${describeHandler(found)} is on a transient provider, which has instances only for those who inject it. ` +
        'Make it a singleton or request-scoped.',
    );
  }
}

function isScoped(wrapper: InstanceWrapper<object>): boolean {
  return wrapper.isTransient || !wrapper.isDependencyTreeStatic();
}

/** A factory does not say what it makes; the token may. */
function classOf({ isFactory, token, metatype }: InstanceWrapper<object>) {
  if (!isFactory) return metatype;
  return typeof token === 'function' ? token : undefined;
}

export function methodOf(holder: object, methodName: string): (...args: unknown[]) => unknown {
  return (holder as Record<string, (...args: unknown[]) => unknown>)[methodName]!;
}
