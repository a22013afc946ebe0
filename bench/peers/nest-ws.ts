/* Nest's own adapter for `ws`: the event is turned into text once, and sent to each client in a loop. */
import type { IncomingMessage } from 'node:http';
import { UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { WebSocket, type WebSocketServer } from 'ws';
import { accountIn, encodeEvent, type Peer, type PeerOptions } from './peer.js';
import { classWithHandlers, portOf, WorkGuard, WorkPipe } from './nest.js';

export async function start(options: PeerOptions): Promise<Peer> {
  const accounts = new Map<string, WebSocket>();
  let server!: WebSocketServer;
  const Handlers = classWithHandlers(options.handlers, SubscribeMessage, MessageBody(WorkPipe));
  class Gateway extends Handlers {
    afterInit(own: WebSocketServer): void {
      server = own;
    }

    handleConnection(client: WebSocket, request: IncomingMessage): void {
      accounts.set(accountIn(request.headers), client);
    }
  }
  UseGuards(WorkGuard)(Gateway);
  WebSocketGateway({ path: '/ws' })(Gateway);
  const module = { module: class AppModule {}, providers: [Gateway] };
  const app = await NestFactory.create(module, { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new WsAdapter(app));
  await app.listen(0, '127.0.0.1');
  return {
    port: portOf(app),
    get connections() {
      return server.clients.size;
    },
    publishToAll(event) {
      const text = encodeEvent(event);
      for (const client of server.clients) {
        if (client.readyState === WebSocket.OPEN) client.send(text);
      }
    },
    publishToAccount: (account, event) => accounts.get(account)!.send(encodeEvent(event)),
  };
}
