/* What every peer that is a Nest application has in common. */
import type { AddressInfo } from 'node:net';
import {
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  Injectable,
  type PipeTransform,
} from '@nestjs/common';
import { inboundEvent } from './peer.js';
import { work } from './work.js';

export function portOf(app: INestApplication): number {
  return (app.getHttpServer() as { address(): AddressInfo }).address().port;
}

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
        work.done();
      },
    });
    data(prototype, name, 0);
    decorate(inboundEvent(at))(prototype, name, Object.getOwnPropertyDescriptor(prototype, name)!);
  }
  return Handlers;
}
