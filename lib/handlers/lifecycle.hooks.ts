import { Injectable } from '@nestjs/common';
import type { ConnectionClose, LoopConnection } from '../connections/loop-connection.js';
import { LoopWsConfig } from '../loop-ws.config.js';
import type { PresenceEdge } from '../presence/presence-store.js';
import { BackgroundWork } from '../util/background-work.js';
import { KeyedChain } from '../util/keyed-chain.js';
import { within } from '../util/within.js';
import type { FoundHandlers } from './handler.explorer.js';
import type { HookKind } from './handler-metadata.js';
import { HandlerInvoker } from './handler-invoker.js';

/** Calls the application's lifecycle hooks in the order in which they were found. */
@Injectable()
export class LifecycleHooks {
  private hooks: FoundHandlers['hooks'] = new Map();

  private readonly edges = new KeyedChain();

  constructor(
    private readonly invoker: HandlerInvoker,
    private readonly background: BackgroundWork,
    private readonly config: LoopWsConfig,
  ) {}

  bind(hooks: FoundHandlers['hooks']): void {
    this.hooks = hooks;
  }

  /** Rejects with the error of the first hook that fails; the connection is then refused. */
  connect(connection: LoopConnection): Promise<void> {
    return this.call('connect', { connection }, connection);
  }

  /**
   * Never runs a hook synchronously: the code that ends a connection may be in the middle of a push to many
   * connections. Hooks that take too long are no longer awaited.
   */
  disconnect(connection: LoopConnection, close: ConnectionClose): void {
    const called = Promise.resolve().then(() =>
      this.inTime(this.call('disconnect', { connection }, connection, close)),
    );
    this.background.track('@OnLoopDisconnect', called);
  }

  subscribe(connection: LoopConnection, patterns: readonly string[]): Promise<void> {
    return this.call('subscribe', { connection }, connection, patterns);
  }

  unsubscribe(connection: LoopConnection, patterns: readonly string[]): Promise<void> {
    return this.call('unsubscribe', { connection }, connection, patterns);
  }

  /**
   * Runs no hook synchronously. The edges of one account run in sequence, so that what the hooks store reflects the
   * latest edge; a hook that takes longer than `handlerTimeoutMs` is no longer waited for.
   */
  presenceEdge({ accountId, online }: PresenceEdge): void {
    const hook = online ? 'accountOnline' : 'accountOffline';
    const called = this.edges.run(accountId, () =>
      this.inTime(this.call(hook, { accountId }, accountId)),
    );
    this.background.track(online ? '@OnAccountOnline' : '@OnAccountOffline', called);
  }

  private inTime(hooks: Promise<void>): Promise<void> {
    const { handlerTimeoutMs } = this.config;
    return within(hooks, handlerTimeoutMs, () => {
      throw new Error(`The hook did not finish within ${handlerTimeoutMs} ms.`);
    });
  }

  private async call(hook: HookKind, request: object, ...args: unknown[]): Promise<void> {
    for (const found of this.hooks.get(hook) ?? []) {
      await this.invoker.callHook(found, request, args);
    }
  }
}
