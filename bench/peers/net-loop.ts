/*
 * The sockets of Node alone: the frames of a turn are joined once and written to each connection in one call. There is no
 * server below this one in JavaScript; what it costs is the kernel's share, and that of Node's streams.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { accountIn, encodeEvent, type Peer } from './peer.js';

/** RFC 6455, section 1.3. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A whole text message from a server: RFC 6455, section 5.2. */
const FINAL_TEXT = 0x81;

export async function start(): Promise<Peer> {
  const http = createServer();
  const accounts = new Map<string, Duplex>();
  let waiting: Buffer[] = [];
  const flush = (): void => {
    const bytes = Buffer.concat(waiting);
    waiting = [];
    for (const socket of accounts.values()) socket.write(bytes);
  };
  http.on('upgrade', ({ headers }, socket: Duplex) => {
    accounts.set(accountIn(headers), socket.resume());
    socket.on('close', () => accounts.delete(accountIn(headers)));
    socket.write(agreementTo(headers['sec-websocket-key']!));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    port: (http.address() as AddressInfo).port,
    get connections() {
      return accounts.size;
    },
    publishToAll(event) {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push(frameOf(encodeEvent(event)));
    },
    publishToAccount(account, event) {
      accounts.get(account)!.write(frameOf(encodeEvent(event)));
    },
  };
}

function agreementTo(key: string): string {
  const accept = createHash('sha1')
    .update(key + HANDSHAKE_GUID)
    .digest('base64');
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`
  );
}

function frameOf(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([FINAL_TEXT, ...lengthOf(payload)]), payload]);
}

function lengthOf({ length }: Buffer): readonly number[] {
  return length < 126 ? [length] : [126, length >> 8, length & 0xff];
}
