import { Injectable } from '@nestjs/common';
import type { ConnectionClose, LoopConnection } from '../connections/loop-connection.js';
import type { PresenceEdge } from '../presence/presence-store.js';
import { BackgroundWork } from '../util/background-work.js';
import type { FoundHandlers } from './handler.explorer.js';
import type { HookKind } from './handler-metadata.js';
import { HandlerInvoker } from './handler-invoker.js';

/** Calls the application's lifecycle hooks, in the order in which they were found. */
@Injectable()
export class LifecycleHooks {
  private hooks: FoundHandlers['hooks'] = new Map();

  constructor(
    private readonly invoker: HandlerInvoker,
    private readonly background: BackgroundWork,
  ) {}

  bind(hooks: FoundHandlers['hooks']): void {
    this.hooks = hooks;
  }

  /** Rejects with what the first failing hook threw: the connection is refused. */
  connect(connection: LoopConnection): Promise<void> {
    return this.call('connect', connection);
  }

  disconnect(connection: LoopConnection, close: ConnectionClose): void {
    this.background.track('@OnLoopDisconnect', this.call('disconnect', connection, close));
  }

  subscribe(connection: LoopConnection, patterns: readonly string[]): Promise<void> {
    return this.call('subscribe', connection, patterns);
  }

  unsubscribe(connection: LoopConnection, patterns: readonly string[]): Promise<void> {
    return this.call('unsubscribe', connection, patterns);
  }

  presenceEdge({ accountId, online }: PresenceEdge): void {
    const hook = online ? 'accountOnline' : 'accountOffline';
    this.background.track(
      online ? '@OnAccountOnline' : '@OnAccountOffline',
      this.call(hook, accountId),
    );
  }

  private async call(hook: HookKind, ...args: unknown[]): Promise<void> {
    for (const found of this.hooks.get(hook) ?? []) await this.invoker.callHook(found, args);
  }
}
