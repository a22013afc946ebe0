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
 * subscribe. Throwing refuses the connection, and what is thrown decides the close code: an `HttpException` 401 closes
 * with 4501, 429 with 4429, 503 with 1013, as does taking longer than `connectTimeoutMs`. Every other refusal (another
 * 4xx, a `WsException`, a `LoopWsException` with a code of its own) closes with 4503; any other error is logged and
 * closes with 1011.
 */
export const OnLoopConnect = () => hookDecorator<[connection: LoopConnection]>('connect');

/** Runs after a connection whose `@OnLoopConnect` succeeded is gone. Awaited by the shutdown. */
export const OnLoopDisconnect = () =>
  hookDecorator<[connection: LoopConnection, close: ConnectionClose]>('disconnect');

/** Runs after a client's patterns were granted, before it is told. */
export const OnLoopSubscribe = () =>
  hookDecorator<[connection: LoopConnection, patterns: readonly string[]]>('subscribe');

/** Runs after a client gave up patterns, before it is told. */
export const OnLoopUnsubscribe = () =>
  hookDecorator<[connection: LoopConnection, patterns: readonly string[]]>('unsubscribe');

/**
 * Runs once in the cluster when an account's first connection opens. On one server the hooks of one account run one after
 * another, each waiting up to `handlerTimeoutMs` for the one before.
 */
export const OnAccountOnline = () => hookDecorator<[accountId: string]>('accountOnline');

/**
 * Runs once in the cluster when an account's last connection is gone and did not come back within the grace; after the
 * `@OnAccountOnline` of the same account, as told there.
 */
export const OnAccountOffline = () => hookDecorator<[accountId: string]>('accountOffline');
