import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { RemoteMessages } from '../bus/remote-messages.js';
import type { LoopSocket, LoopStream } from '../connections/loop-socket.js';
import { EventDispatcher } from '../handlers/event.dispatcher.js';
import { HandlerExplorer } from '../handlers/handler.explorer.js';
import { LifecycleHooks } from '../handlers/lifecycle.hooks.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { PresenceStore } from '../presence/presence-store.js';
import { LoopTransport } from '../transport/loop-transport.js';
import { BackgroundWork } from '../util/background-work.js';
import { within } from '../util/within.js';
import { Admission } from './admission.js';
import { ConnectionOpener } from './connection-opener.js';
import { Drain } from './drain.js';
import type { Admitted } from './handshake.js';
import { SessionFactory } from './session.factory.js';
import { Sessions } from './sessions.js';
import { answerUpgradeRequired } from './upgrade-required.js';

/** The life of this server, from boot to the last socket. */
@Injectable()
export class ServerLifecycle
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly logger = new Logger('LoopWs');
  private wrongServer = false;

  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly explorer: HandlerExplorer,
    private readonly dispatcher: EventDispatcher,
    private readonly hooks: LifecycleHooks,
    private readonly transport: LoopTransport,
    private readonly presence: PresenceStore,
    private readonly remote: RemoteMessages,
    private readonly admission: Admission,
    private readonly factory: SessionFactory,
    private readonly opener: ConnectionOpener,
    private readonly sessions: Sessions,
    private readonly drain: Drain,
    private readonly background: BackgroundWork,
    private readonly http: HttpAdapterHost,
  ) {}

  /** Remembers what kind of server the application's adapter made; complaining must wait until it may throw. */
  useServer(server: unknown): void {
    this.wrongServer = !isWsServer(server);
  }

  onModuleInit(): void {
    if (this.wrongServer) {
      throw new LoopWsBootError(
        'LoopWs: this application uses a WebSocket adapter that is not based on the "ws" package. Remove the call of ' +
          'app.useWebSocketAdapter, or pass new WsAdapter(app) of @nestjs/platform-ws.',
      );
    }
    const { events, hooks } = this.explorer.explore();
    this.dispatcher.bind(events);
    this.hooks.bind(hooks);
    answerUpgradeRequired(this.http, this.settings.path);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { serverId, config } = this.settings;
    await this.transport.start({
      serverId,
      receive: (message) => this.remote.receive(message),
    });
    await this.presence.start({
      serverId,
      graceMs: config.presenceGraceMs,
      offline: (accountId) => this.hooks.presenceEdge({ accountId, online: false }),
      online: (accountId) => this.hooks.presenceEdge({ accountId, online: true }),
    });
    this.admission.open();
  }

  /** Listens on the socket before anything is awaited, and opens the connection. */
  connect(socket: LoopSocket, stream: LoopStream, admitted: Admitted): void {
    const opening = this.factory.create(socket, stream, admitted);
    void opening.session.socketClosed.then(admitted.leave);
    this.sessions.add(opening.session);
    this.background.track('Opening a connection', this.opener.open(opening));
  }

  /** While Redis, databases and the application's other providers are still there. */
  async beforeApplicationShutdown(): Promise<void> {
    this.admission.close();
    await this.drain.run();
    await this.inTime(this.finish(), 'Handlers and hooks');
  }

  async onApplicationShutdown(): Promise<void> {
    await this.inTime(this.transport.close(), 'The transport');
  }

  /** Handlers and hooks first; then the store, whose last edges call hooks once more. */
  private async finish(): Promise<void> {
    await this.background.idle();
    await this.presence.close();
    await this.background.idle();
  }

  private inTime(work: Promise<void>, what: string): Promise<void> {
    const { shutdownTimeoutMs } = this.settings.config;
    return within(work, shutdownTimeoutMs, () => {
      this.logger.warn(
        `${what} did not end within ${shutdownTimeoutMs} ms; shutting down without them`,
      );
    });
  }
}

function isWsServer(server: unknown): boolean {
  const { handleUpgrade, clients } = server as { handleUpgrade?: unknown; clients?: unknown };
  return typeof handleUpgrade === 'function' && clients instanceof Set;
}
