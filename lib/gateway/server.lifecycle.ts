import type { IncomingMessage } from 'node:http';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { BusLifecycle } from '../bus/bus.lifecycle.js';
import type { LoopSocket, LoopStream } from '../connections/loop-socket.js';
import { EventDispatcher } from '../handlers/event.dispatcher.js';
import { HandlerExplorer } from '../handlers/handler.explorer.js';
import { LifecycleHooks } from '../handlers/lifecycle.hooks.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { BackgroundWork } from '../util/background-work.js';
import { Admission } from './admission.js';
import { ConnectionOpener } from './session/connection-opener.js';
import { Drain } from './drain.js';
import type { Admitted } from './handshake.js';
import { type Peer, wantsToResume } from './request/loop-request.js';
import { SessionFactory } from './session.factory.js';
import { Sessions } from './session/sessions.js';
import { answerUpgradeRequired } from './upgrade-required.js';

/** The part of the `ws` package's server that is used here. */
export interface SocketServer {
  on(
    event: 'connection',
    listener: (socket: LoopSocket, request: IncomingMessage) => void,
  ): unknown;
}

/** The life of this server, from boot to the last socket. */
@Injectable()
export class ServerLifecycle
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private wrongServer = false;

  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly explorer: HandlerExplorer,
    private readonly dispatcher: EventDispatcher,
    private readonly hooks: LifecycleHooks,
    private readonly bus: BusLifecycle,
    private readonly admission: Admission,
    private readonly factory: SessionFactory,
    private readonly opener: ConnectionOpener,
    private readonly sessions: Sessions,
    private readonly drain: Drain,
    private readonly background: BackgroundWork,
    private readonly http: HttpAdapterHost,
  ) {}

  /**
   * Whether this server can be used. It must not throw, so a server of the wrong kind, made by the application's own
   * adapter, is reported by {@link onModuleInit}.
   */
  useServer(server: unknown): server is SocketServer {
    const isUsable = isSocketServer(server);
    this.wrongServer = !isUsable;
    return isUsable;
  }

  onModuleInit(): void {
    if (this.wrongServer) {
      throw new LoopWsBootError(
        'LoopWs: this application uses a WebSocket adapter that is not based on the "ws" package. Remove the call to ' +
          'app.useWebSocketAdapter, or pass it new WsAdapter(app) from @nestjs/platform-ws.',
      );
    }
    const { events, hooks } = this.explorer.explore();
    this.dispatcher.bind(events);
    this.hooks.bind(hooks);
    answerUpgradeRequired(this.http, this.settings.path);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.bus.start({
      offline: (accountId) => this.hooks.presenceEdge({ accountId, online: false }),
      online: (accountId) => this.hooks.presenceEdge({ accountId, online: true }),
    });
    this.admission.open();
  }

  /** Listens to the socket before anything is awaited, and opens the connection. */
  connect(socket: LoopSocket, stream: LoopStream & Peer, admitted: Admitted): void {
    const session = this.factory.create(socket, stream, admitted);
    this.sessions.add(session);
    const opened = this.opener
      .open(session, wantsToResume(admitted.request))
      .then(() => this.drain.welcomed(session));
    this.background.track('Opening a connection', opened);
  }

  /** Runs while Redis, databases and the application's other providers are still available. */
  async beforeApplicationShutdown(): Promise<void> {
    this.admission.close();
    await this.drain.run();
    await this.bus.inTime(this.finish(), 'Handlers and hooks');
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bus.closeTransport();
  }

  /** Waits for handlers and hooks, then closes the presence store, whose last edges call hooks once more. */
  private async finish(): Promise<void> {
    await this.background.idle();
    await this.bus.closePresence();
    await this.background.idle();
  }
}

function isSocketServer(server: unknown): server is SocketServer {
  const { handleUpgrade, clients } = server as { handleUpgrade?: unknown; clients?: unknown };
  return typeof handleUpgrade === 'function' && clients instanceof Set;
}
