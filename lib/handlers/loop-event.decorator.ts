import type { LoopConnection } from '../connections/loop-connection.js';
import type { LoopEventName } from '../protocol/event-types.js';
import type { LoopEvents } from '../protocol/loop-events.js';
import { addHandlerMetadata } from './handler-metadata.js';

/** `never` lets the handler of an undeclared event annotate its payload freely. */
type HandlerPayload<N extends string> = N extends keyof LoopEvents ? LoopEvents[N] : never;

type EventHandler<N extends string> = (
  payload: HandlerPayload<N>,
  connection: LoopConnection,
  ...more: never[]
) => unknown;

/**
 * Handles an event that clients send. Works on any method of any provider or controller, with guards, pipes,
 * interceptors, filters and request scope as in every Nest WebSocket handler. The payload is the first parameter and
 * the connection the second; `@MessageBody()` and `@ConnectedSocket()` may mark them, and must once any parameter has a
 * decorator.
 *
 * The return value of the method answers the frame's `id`; an error that it throws becomes one error frame. If an
 * exception filter returns a value, that value is the reply instead; if it throws an `HttpException`, `WsException` or
 * `LoopWsException`, that replaces the error. A filter that returns `undefined`, or fails itself, leaves the error
 * unchanged.
 *
 * Stack several decorators to handle several events. Each event has exactly one handler.
 *
 * @param name Full name, `service:event`.
 */
export function OnLoopEvent<N extends LoopEventName>(name: N) {
  return <H extends EventHandler<N>>(
    _target: object,
    _key: string | symbol,
    descriptor: TypedPropertyDescriptor<H>,
  ): void => {
    addHandlerMetadata(descriptor.value, { kind: 'event', name });
  };
}
