/* The bare library: one buffer per event, sent to each client in a loop. The least that anybody would write. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { accountIn, encodeEvent, type Peer, type PeerEvent } from './peer.js';
import { work } from './work.js';

export async function start(): Promise<Peer> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, path: '/ws' });
  const accounts = new Map<string, WebSocket>();
  sockets.on('connection', (socket, request) => {
    accounts.set(accountIn(request.headers), socket);
    socket.on('message', (data: Buffer) => {
      JSON.parse(data.toString());
      work.done();
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    port: (http.address() as AddressInfo).port,
    get connections() {
      return sockets.clients.size;
    },
    publishToAll(event) {
      const frame = encode(event);
      for (const socket of sockets.clients) socket.send(frame, { binary: false });
    },
    publishToAccount(account, event) {
      accounts.get(account)!.send(encode(event), { binary: false });
    },
  };
}

function encode(data: PeerEvent): Buffer {
  return Buffer.from(encodeEvent(data));
}
