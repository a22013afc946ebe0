import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type PipeTransform,
} from '@nestjs/common';
import { inboundEvent } from './peer.js';

/** What a client asks for, and how often it was done. The same for every peer that has Nest handlers. */
export const work = { handled: 0 };

@Injectable()
export class WorkGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.getType() === 'ws';
  }
}

@Injectable()
export class WorkPipe implements PipeTransform {
  transform(value: unknown): unknown {
    if (typeof (value as { text?: unknown }).text !== 'string')
      throw new TypeError('"text" is missing.');
    return value;
  }
}

/** A class with so many handlers. `decorate` makes a method the handler of an event, and its first parameter the data. */
export function classWithHandlers(
  count: number,
  decorate: (event: string) => MethodDecorator,
  data: ParameterDecorator,
): new () => object {
  class Handlers {}
  const { prototype } = Handlers;
  for (let at = 0; at < count; at++) {
    const name = `take${at}`;
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value() {
        work.handled++;
      },
    });
    data(prototype, name, 0);
    decorate(inboundEvent(at))(prototype, name, Object.getOwnPropertyDescriptor(prototype, name)!);
  }
  return Handlers;
}
