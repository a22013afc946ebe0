import type { LoopConnection } from '../connections/loop-connection.js';
import type { LoopEventName } from '../protocol/event-types.js';
import type { LoopEvents } from '../protocol/loop-events.js';
import { addHandlerMetadata } from './handler-metadata.js';

/** `never` lets a handler of an undeclared event annotate its payload as it likes. */
type HandlerPayload<N extends string> = N extends keyof LoopEvents ? LoopEvents[N] : never;

type EventHandler<N extends string> = (
  payload: HandlerPayload<N>,
  connection: LoopConnection,
  ...more: never[]
) => unknown;

/**
 * Handles an event that clients send: any method of any provider or controller, with guards, pipes, interceptors,
 * filters and request scope as on every Nest WebSocket handler. The payload is the first parameter and the connection
 * the second; `@MessageBody()` and `@ConnectedSocket()` may mark them, and must as soon as a parameter has a decorator.
 *
 * What the method returns answers the frame's `id`; what it throws becomes one error frame. A value that an exception
 * filter returns is the reply instead, and an `HttpException`, `WsException` or `LoopWsException` that it throws replaces
 * the error. A filter that returns `undefined`, or is itself broken, leaves the error as it is.
 *
 * Stack several to handle several events. Exactly one handler per event.
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
