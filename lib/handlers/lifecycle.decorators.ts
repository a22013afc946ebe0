import type { ConnectionClose, LoopConnection } from '../connections/loop-connection.js';
import { addHandlerMetadata, type HookKind } from './handler-metadata.js';

type HookDecorator<Args extends readonly unknown[]> = <H extends (...args: Args) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<H>,
) => void;

function hookDecorator<Args extends readonly unknown[]>(hook: HookKind): HookDecorator<Args> {
  return (_target, _key, descriptor) =>
    addHandlerMetadata(descriptor.value, { kind: 'hook', hook });
}

/**
 * Runs before a connection's welcome frame and is awaited: load what handlers need into `connection.data`, join rooms,
 * subscribe. Throwing refuses the connection, and the error decides the close code. An `HttpException` with status 401
 * closes with 4501, 429 with 4429, and 503 with 1013, as do a `LoopTransportError` and taking longer than
 * `connectTimeoutMs`. Every other refusal (another 4xx, a `WsException`, a `LoopWsException` with a custom code) closes
 * with 4503. Any other error is logged and closes with 1011.
 */
export const OnLoopConnect = () => hookDecorator<[connection: LoopConnection]>('connect');

/** Runs after a connection whose `@OnLoopConnect` succeeded is gone. The shutdown waits for it. */
export const OnLoopDisconnect = () =>
  hookDecorator<[connection: LoopConnection, close: ConnectionClose]>('disconnect');

/** Runs after patterns that a client requested were granted, before the client is told. */
export const OnLoopSubscribe = () =>
  hookDecorator<[connection: LoopConnection, patterns: readonly string[]]>('subscribe');

/** Runs after a client unsubscribed from patterns, or lost them by refreshing its credentials, before it is told. */
export const OnLoopUnsubscribe = () =>
  hookDecorator<[connection: LoopConnection, patterns: readonly string[]]>('unsubscribe');

/**
 * Runs once in the cluster when an account's first connection opens. On one server, the hooks of one account run in
 * sequence; each waits up to `handlerTimeoutMs` for the one before.
 */
export const OnAccountOnline = () => hookDecorator<[accountId: string]>('accountOnline');

/**
 * Runs once in the cluster when an account's last connection is gone and the account did not reconnect within
 * `presenceGraceMs`. It runs in sequence with `@OnAccountOnline`, as described there.
 */
export const OnAccountOffline = () => hookDecorator<[accountId: string]>('accountOffline');
