/* Nest's adapter for socket.io: each account and each subscription is a room. WebSocket only, as a fast setup would be. */
import type { AddressInfo } from 'node:net';
import { UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { EVENT, otherSubscriptions, type Peer, type PeerOptions } from './peer.js';
import { classWithHandlers, work, WorkGuard, WorkPipe } from './work.js';

export async function start(options: PeerOptions): Promise<Peer> {
  let server!: Server;
  const Handlers = classWithHandlers(options.handlers, SubscribeMessage, MessageBody(WorkPipe));
  const rooms = [EVENT, ...otherSubscriptions(options)];
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
  app.useWebSocketAdapter(new IoAdapter(app));
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
