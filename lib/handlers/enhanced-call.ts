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
 * Calls a handler as Nest does: guards first, then interceptors around the pipes and the handler itself. It waits only
 * for values that are not there yet: if guards, pipes and the handler return plain values, it completes synchronously.
 * The result may be a promise or an observable. Throws, or rejects with, what any of them throws.
 */
export function enhancedCall(
  instance: object,
  method: Method,
  enhancers: Enhancers,
): (args: HandlerArgs) => unknown {
  const piped = withPipes(instance, method, enhancers);
  const intercepted = withInterceptors(instance, method, enhancers, piped);
  const guarded = withGuards(instance, method, enhancers, intercepted);
  return (args) => guarded([...args]); // a copy: guards may change the arguments of later steps, but not the caller's
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

/**
 * Asks the guards from index `from` on. Throws, or rejects with, a `ForbiddenException` at the first one that denies.
 */
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
