import { connect, type Socket } from 'node:net';

const TEXT = 0x1;
const PING = 0x9;
const PONG = 0xa;

/** All sockets of the process read into one buffer: each read is dealt with before the next. */
const READ_BUFFER = Buffer.allocUnsafe(1 << 18);

export interface FrameListener {
  /** The payload lies between the two places of the buffer, and is only there during the call. */
  text(bytes: Buffer, start: number, end: number): void;
  closed(): void;
}

export interface Dial {
  readonly port: number;
  readonly path: string;
  readonly token: string;
}

/**
 * The least of a WebSocket client (RFC 6455) that can count messages, so that the clients cost less than the server: on a
 * machine with two cores they would otherwise be what is measured.
 */
export class RawWebSocket {
  private readonly socket: Socket;
  /** The beginning of a frame whose end has not come yet. */
  private rest: Buffer | undefined;
  private upgraded = false;

  private constructor(
    { port, path, token }: Dial,
    private readonly listener: FrameListener,
    private readonly opened: () => void,
  ) {
    const onread = {
      buffer: READ_BUFFER,
      callback: (length: number): boolean => {
        this.read(READ_BUFFER.subarray(0, length));
        return true;
      },
    };
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        `Authorization: Bearer ${token}\r\n\r\n`,
    );
    this.socket.once('close', () => listener.closed());
  }

  /** Resolves when the server has agreed. */
  static open(dial: Dial, listener: FrameListener): Promise<RawWebSocket> {
    return new Promise((resolve, reject) => {
      const one = new RawWebSocket(dial, listener, () => resolve(one));
      one.socket.once('error', reject);
    });
  }

  /** Sends the text so many times, in one write. */
  send(text: string, times = 1): void {
    this.write(TEXT, Buffer.from(text), times);
  }

  /** What comes from now on stays in the network. */
  stopReading(): void {
    this.socket.pause();
  }

  end(): void {
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    let at = this.upgraded ? 0 : this.readUpgrade(bytes);
    while (at < bytes.length) {
      const next = this.readFrame(bytes, at);
      if (next === at) break;
      at = next;
    }
    this.rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at)); // the buffer is used again
  }

  /** Returns where the first frame begins. */
  private readUpgrade(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1) return 0;
    if (!bytes.toString('latin1', 0, 12).endsWith(' 101')) {
      this.socket.destroy(new Error(bytes.toString('latin1', 0, end)));
      return bytes.length;
    }
    this.upgraded = true;
    this.opened();
    return end + 4;
  }

  /** Returns where the next frame begins, or where this one does when it is not whole. */
  private readFrame(bytes: Buffer, at: number): number {
    const left = bytes.length - at;
    if (!this.upgraded || left < 2) return at;
    let length = bytes[at + 1]! & 0x7f;
    let header = 2;
    if (length === 126) header = 4;
    else if (length === 127) header = 10;
    if (left < header) return at;
    if (header === 4) length = bytes.readUInt16BE(at + 2);
    else if (header === 10) length = Number(bytes.readBigUInt64BE(at + 2));
    if (left < header + length) return at;
    const start = at + header;
    const opcode = bytes[at]! & 0x0f;
    if (opcode === TEXT) this.listener.text(bytes, start, start + length);
    else if (opcode === PING) this.write(PONG, bytes.subarray(start, start + length));
    return start + length;
  }

  /** With a mask of zeros, which the server undoes like any other. */
  private write(opcode: number, payload: Buffer, times = 1): void {
    const { length } = payload;
    const header = Buffer.alloc(length < 126 ? 6 : 8);
    header[0] = 0x80 | opcode;
    header[1] = 0x80 | Math.min(length, 126);
    if (length >= 126) header.writeUInt16BE(length, 2);
    const frame = Buffer.concat([header, payload]);
    this.socket.write(
      times === 1 ? frame : Buffer.concat(Array.from({ length: times }, () => frame)),
    );
  }
}
