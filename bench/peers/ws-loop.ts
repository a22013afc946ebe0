/* The bare library: one buffer per event, sent to each client in a loop. The least that anybody would write. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { EVENT, type Peer, type PeerEvent } from './peer.js';

export async function start(): Promise<Peer> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, path: '/ws' });
  const accounts = new Map<string, WebSocket>();
  let handled = 0;
  sockets.on('connection', (socket, request) => {
    accounts.set(request.headers.authorization!.slice('Bearer '.length), socket);
    socket.on('message', (data: Buffer) => {
      JSON.parse(data.toString());
      handled++;
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    port: (http.address() as AddressInfo).port,
    publishToAll(event) {
      const frame = encode(event);
      for (const socket of sockets.clients) socket.send(frame, { binary: false });
    },
    publishToAccount(account, event) {
      accounts.get(account)!.send(encode(event), { binary: false });
    },
    get handled() {
      return handled;
    },
  };
}

function encode(data: PeerEvent): Buffer {
  return Buffer.from(JSON.stringify({ event: EVENT, data }));
}
