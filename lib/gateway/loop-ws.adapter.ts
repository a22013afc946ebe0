import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpAdapterHost } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { refuseUpgrade, StrayUpgrades } from './stray-upgrades.js';

/** The part of the `ws` package's server that routing needs. */
interface PathServer {
  readonly path: string;
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (client: unknown) => void,
  ): void;
  emit(event: 'connection', client: unknown, request: IncomingMessage): boolean;
}

/** Marks the options of this module's own gateway. */
export const OWN_SERVER = Symbol('LoopWsServer');

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Nest's `ws` adapter with five differences: it finds the HTTP server by itself, so that an application need not call
 * `useWebSocketAdapter`; it leaves upgrades of other paths to the server's other listeners; it answers upgrades that
 * nobody takes with 404 instead of cutting the connection; peers that break the protocol cannot flood the log; and Nest
 * attaches no observers to the sockets of our own gateway.
 */
export class LoopWsAdapter extends WsAdapter {
  private readonly listeners = new Map<Server, UpgradeListener>();
  private readonly strays: StrayUpgrades;
  private makesOurs = false;
  /** Our server, until Nest has bound our gateway to it. */
  private unbound: unknown;

  constructor(
    private readonly host: HttpAdapterHost,
    strayUpgradeTimeoutMs: number,
  ) {
    super();
    this.strays = new StrayUpgrades(strayUpgradeTimeoutMs);
  }

  override create(port: number, options?: Parameters<WsAdapter['create']>[1]): unknown {
    // The HTTP server does not exist yet when adapters are created, and `httpServer` is read-only only in its type.
    Object.assign(this, { httpServer: this.host.httpAdapter?.getHttpServer() });
    this.makesOurs = options !== undefined && OWN_SERVER in options;
    const server: unknown = super.create(port, options);
    if (this.makesOurs) this.unbound = server;
    return server;
  }

  /**
   * Our gateway listens to its server itself, so the state that Nest would keep for each socket to observe its close
   * would be of no use. Another gateway that shares the server is bound as usual.
   */
  override bindClientConnect(...args: Parameters<WsAdapter['bindClientConnect']>): void {
    if (args[0] === this.unbound) this.unbound = undefined;
    else super.bindClientConnect(...args);
  }

  /**
   * Our sessions listen to their sockets' errors. Logging each error with its stack would let any peer flood the log.
   */
  override bindErrorHandler(server: unknown): unknown {
    return this.makesOurs ? server : super.bindErrorHandler(server);
  }

  override async dispose(): Promise<void> {
    for (const [server, listener] of this.listeners) server.off('upgrade', listener);
    this.listeners.clear();
    this.strays.cut();
    await super.dispose();
  }

  protected override ensureHttpServerExists(
    port: number,
    httpServer: Server = createServer(),
  ): Server | undefined {
    if (this.httpServersRegistry.has(port)) return undefined;
    this.httpServersRegistry.set(port, httpServer);
    const listener: UpgradeListener = (request, socket, head) => {
      const server = this.serverFor(port, request);
      if (server !== undefined) upgrade(server, request, socket, head);
      else if (httpServer.listenerCount('upgrade') === 1) refuseUpgrade(socket, 404);
      else this.strays.watch(socket);
    };
    httpServer.on('upgrade', listener);
    this.listeners.set(httpServer, listener);
    return httpServer;
  }

  private serverFor(port: number, { url = '/' }: IncomingMessage): PathServer | undefined {
    const servers = (this.wsServersRegistry.get(port) ?? []) as readonly PathServer[];
    const [path] = url.split('?', 1);
    return servers.find((server) => server.path === path);
  }
}

function upgrade(server: PathServer, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  server.handleUpgrade(request, socket, head, (client) =>
    server.emit('connection', client, request),
  );
}
