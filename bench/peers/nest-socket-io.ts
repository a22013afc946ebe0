/* Nest's adapter for socket.io: each account and each subscription is a room. WebSocket only, as a fast setup would be. */
import type { AddressInfo } from 'node:net';
import { UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Server, ServerOptions, Socket } from 'socket.io';
import { EVENT, subscriptionsOf, type Peer, type PeerOptions, type StartPeer } from './peer.js';
import { classWithHandlers, work, WorkGuard, WorkPipe } from './work.js';

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
      const account = socket.handshake.headers.authorization!.slice('Bearer '.length);
      void socket.join([`account:${account}`, ...rooms]);
    }
  }
  UseGuards(WorkGuard)(Gateway);
  WebSocketGateway({ transports: ['websocket'], serveClient: false })(Gateway);
  const module = { module: class AppModule {}, providers: [Gateway] };
  const app = await NestFactory.create(module, { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new ClusteredIoAdapter(app, clusterAdapter));
  await app.listen(0, '127.0.0.1');
  return {
    port: (app.getHttpServer() as { address(): AddressInfo }).address().port,
    publishToAll: (event) => void server.to(EVENT).emit(EVENT, event),
    publishToAccount: (account, event) => void server.to(`account:${account}`).emit(EVENT, event),
    get handled() {
      return work.handled;
    },
  };
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
