/* Nest's adapter for socket.io: each account and each subscription is a room. WebSocket only, as in a fast setup. */
import { UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Server, ServerOptions, Socket } from 'socket.io';
import {
  accountIn,
  EVENT,
  subscriptionsOf,
  type Peer,
  type PeerOptions,
  type StartPeer,
} from './peer.js';
import { classWithHandlers, portOf, WorkGuard, WorkPipe } from './nest.js';

/** Connects servers: what socket.io takes as an adapter. */
type ClusterAdapter = NonNullable<ServerOptions['adapter']>;

export const start: StartPeer = (options) => startWith(options, undefined);

/** Several servers, connected by what is made of the address of their Redis. */
export function startOn(adapterFor: (redis: string) => ClusterAdapter): StartPeer {
  return (options) => startWith(options, adapterFor(options.redis!));
}

async function startWith(
  options: PeerOptions,
  clusterAdapter: ClusterAdapter | undefined,
): Promise<Peer> {
  let server!: Server;
  const Handlers = classWithHandlers(options.handlers, SubscribeMessage, MessageBody(WorkPipe));
  const rooms = subscriptionsOf(options);
  class Gateway extends Handlers {
    afterInit(own: Server): void {
      server = own;
    }

    handleConnection(socket: Socket): void {
      void socket.join([`account:${accountIn(socket.handshake.headers)}`, ...rooms]);
      dropRequest(socket.conn);
    }
  }
  UseGuards(WorkGuard)(Gateway);
  WebSocketGateway({
    transports: ['websocket'],
    serveClient: false,
    ...(options.heartbeatMs !== undefined && { pingInterval: options.heartbeatMs }),
  })(Gateway);
  const module = { module: class AppModule {}, providers: [Gateway] };
  const app = await NestFactory.create(module, { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new ClusteredIoAdapter(app, clusterAdapter));
  await app.listen(0, '127.0.0.1');
  return {
    port: portOf(app),
    get connections() {
      return server.engine.clientsCount;
    },
    publishToAll: (event) => void server.to(EVENT).emit(EVENT, event),
    publishToAccount: (account, event) => void server.to(`account:${account}`).emit(EVENT, event),
  };
}

/** As socket.io's page on memory usage advises: the first request is kept for as long as the connection otherwise. */
function dropRequest(connection: object): void {
  Object.assign(connection, { request: null });
}

class ClusteredIoAdapter extends IoAdapter {
  constructor(
    app: ConstructorParameters<typeof IoAdapter>[0],
    private readonly clusterAdapter: ClusterAdapter | undefined,
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const server = super.createIOServer(port, options);
    if (this.clusterAdapter !== undefined) server.adapter(this.clusterAdapter);
    return server;
  }
}
