/*
 * The bare libraries on several servers: a Redis channel for each account and one for everybody, whose messages are the
 * finished frames. No results, no checks, nothing that survives a lost connection: what is left when all else is taken away.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { type WebSocket, WebSocketServer } from 'ws';
import { accountIn, encodeEvent, type Peer, type PeerOptions } from './peer.js';

const EVERYBODY = 'all';

export async function start({ redis, aside }: PeerOptions): Promise<Peer> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, path: '/ws' });
  const accounts = new Map<string, WebSocket>();
  const everybody = aside ? [] : sockets.clients;
  const publisher = new Redis(redis!, { enableAutoPipelining: true });
  const subscriber = new Redis(redis!);
  await subscriber.subscribe(EVERYBODY);
  subscriber.on('messageBuffer', (channel: Buffer, frame: Buffer) => {
    const name = channel.toString();
    const receivers = name === EVERYBODY ? everybody : [accounts.get(name)!];
    for (const socket of receivers) socket.send(frame, { binary: false });
  });
  sockets.on('connection', (socket, request) => {
    const account = accountIn(request.headers);
    accounts.set(account, socket);
    void subscriber.subscribe(account).then(() => socket.send('{"op":"welcome"}'));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    port: (http.address() as AddressInfo).port,
    get connections() {
      return sockets.clients.size;
    },
    publishToAll: (event) => void publisher.publish(EVERYBODY, encodeEvent(event)),
    publishToAccount: (account, event) => void publisher.publish(account, encodeEvent(event)),
  };
}
