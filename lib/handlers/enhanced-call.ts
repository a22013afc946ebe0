import { type CanActivate, ForbiddenException } from '@nestjs/common';
import { FORBIDDEN_MESSAGE } from '@nestjs/core/guards/constants.js';
import { GuardsConsumer } from '@nestjs/core/guards/guards-consumer.js';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { InterceptorsConsumer } from '@nestjs/core/interceptors/interceptors-consumer.js';
import { andThen, type NowOrLater } from '../util/now-or-later.js';
import type { Enhancers } from './enhancers.js';
import type { HandlerArgs } from './handler-params.js';
import { argumentsReader } from './parameter-values.js';

type Method = (...args: unknown[]) => unknown;
type Call = (args: unknown[]) => unknown;

const GUARDS = new GuardsConsumer();
const INTERCEPTORS = new InterceptorsConsumer();

/**
 * A handler as Nest calls it: guards first, then interceptors around the pipes and the handler itself. It waits only for
 * what is not there yet, so with guards, pipes and a handler that return plain values it is through within the call.
 * What it gives may come later and may be an observable. Throws, or rejects, what any of them throws.
 */
export function enhancedCall(
  instance: object,
  method: Method,
  enhancers: Enhancers,
): (args: HandlerArgs) => unknown {
  const piped = withPipes(instance, method, enhancers);
  const intercepted = withInterceptors(instance, method, enhancers, piped);
  const guarded = withGuards(instance, method, enhancers, intercepted);
  return (args) => guarded([...args]); // guards may change what comes after them, and nothing else
}

function withPipes(instance: object, method: Method, enhancers: Enhancers): Call {
  if (enhancers.parameters.length === 0) return (args) => method.apply(instance, args);
  const read = argumentsReader(enhancers);
  return (args) => andThen(read(args), (values) => method.apply(instance, values));
}

function withInterceptors(
  instance: object,
  method: Method,
  { interceptors }: Enhancers,
  next: Call,
): Call {
  if (interceptors.length === 0) return next;
  return (args) =>
    INTERCEPTORS.intercept(interceptors, args, instance, method, async () => next(args), 'ws');
}

function withGuards(instance: object, method: Method, { guards }: Enhancers, next: Call): Call {
  if (guards.length === 0) return next;
  return (args) => {
    const context = new ExecutionContextHost(args, instance.constructor as never, method);
    context.setType('ws');
    return andThen(admit(guards, context, 0), () => next(args));
  };
}

/** Throws, or rejects with, a `ForbiddenException` at the first guard that denies; asks those before `from` no more. */
function admit(
  guards: readonly CanActivate[],
  context: ExecutionContextHost,
  from: number,
): NowOrLater<void> {
  for (let at = from; at < guards.length; at++) {
    const answer = guards[at]!.canActivate(context);
    if (typeof answer !== 'boolean') {
      return GUARDS.pickResult(answer).then((admits) => {
        requireAdmission(admits);
        return admit(guards, context, at + 1);
      });
    }
    requireAdmission(answer);
  }
}

function requireAdmission(admits: boolean): void {
  if (!admits) throw new ForbiddenException(FORBIDDEN_MESSAGE);
}
