import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { Module } from '@nestjs/core/injector/module.js';

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

/** Scoped providers have an instance per request, so their class is what can be looked at. */
export function prototypeOf(wrapper: InstanceWrapper<object>): object | undefined {
  if (!wrapper.isDependencyTreeStatic()) return wrapper.metatype?.prototype as object | undefined;
  const instance: unknown = wrapper.instance;
  return typeof instance === 'object' && instance !== null
    ? (Object.getPrototypeOf(instance) as object)
    : undefined;
}

export function methodOf(holder: object, methodName: string): (...args: unknown[]) => unknown {
  return (holder as Record<string, (...args: unknown[]) => unknown>)[methodName]!;
}
