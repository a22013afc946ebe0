import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { ServerFrame } from '../../lib/protocol/frames.js';
import { eventually } from './eventually.js';

export const Opcode = {
  Continuation: 0x0,
  Text: 0x1,
  Binary: 0x2,
  Close: 0x8,
  Ping: 0x9,
  Pong: 0xa,
} as const;

export interface UpgradeOptions {
  readonly path?: string;
  readonly method?: string;
  /** Replaces or adds header lines; `undefined` leaves one out. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly token?: string;
  /** Bytes that follow the request in the same write. */
  readonly behind?: Buffer;
  /** Keeps this side open when the server ends its own. */
  readonly allowHalfOpen?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface RawFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export interface FrameShape {
  readonly opcode?: number;
  readonly fin?: boolean;
  readonly masked?: boolean;
  readonly reservedBits?: number;
}

/** The bytes of one frame, masked as clients mask them unless a test wants it wrong. */
export function rawFrame(payload: Buffer | string, shape: FrameShape = {}): Buffer {
  const { opcode = Opcode.Text, fin = true, masked = true, reservedBits = 0 } = shape;
  const data = Buffer.from(payload);
  const mask = masked ? randomBytes(4) : Buffer.alloc(0);
  const body = masked ? data.map((byte, index) => byte ^ mask[index % 4]!) : data;
  const first = (fin ? 0x80 : 0) | reservedBits | opcode;
  return Buffer.concat([Buffer.from([first]), lengthField(data.length, masked), mask, body]);
}

export function textFrame(value: unknown): Buffer {
  return rawFrame(typeof value === 'string' ? value : JSON.stringify(value));
}

function lengthField(length: number, masked: boolean): Buffer {
  const bit = masked ? 0x80 : 0;
  if (length < 126) return Buffer.from([bit | length]);
  const field = Buffer.alloc(length < 65_536 ? 3 : 9);
  field[0] = bit | (length < 65_536 ? 126 : 127);
  if (length < 65_536) field.writeUInt16BE(length, 1);
  else field.writeBigUInt64BE(BigInt(length), 1);
  return field;
}

export function upgradeRequest(port: number, options: UpgradeOptions = {}): string {
  const headers = {
    Host: `127.0.0.1:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    Authorization: `Bearer ${options.token ?? 'acme'}`,
    ...options.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`),
  );
  return `${options.method ?? 'GET'} ${options.path ?? '/ws'} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/**
 * A peer that is made by hand on a TCP socket: it may break every rule, stop reading, and see exactly what the server
 * wrote. It answers nothing by itself, no ping and no close.
 */
export class RawPeer {
  /** Whole frames of the server, in order. */
  readonly frames: RawFrame[] = [];
  private received = Buffer.alloc(0);
  private head: string | undefined;
  private gone = false;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('error', () => {}); // a close follows
    socket.on('close', () => (this.gone = true));
    socket.on('end', () => (this.ended = true));
  }

  /** Whether the server has ended its side. */
  ended = false;

  static async dial(port: number, allowHalfOpen = false): Promise<RawPeer> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
    const peer = new RawPeer(socket);
    opened.add(peer);
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return peer;
  }

  /** Sends an upgrade request and waits for the status line, whatever it says. */
  static async upgrade(port: number, options: UpgradeOptions = {}): Promise<RawPeer> {
    const peer = await RawPeer.dial(port, options.allowHalfOpen);
    const request = Buffer.from(upgradeRequest(port, options), 'latin1');
    peer.send(Buffer.concat([request, options.behind ?? Buffer.alloc(0)]));
    await peer.headReceived();
    return peer;
  }

  /** Upgrades and waits for the welcome. */
  static async open(port: number, options: UpgradeOptions = {}): Promise<RawPeer> {
    const peer = await RawPeer.upgrade(port, options);
    if (peer.answer.status !== 101) {
      throw new Error(`The upgrade was refused: ${peer.answer.status} ${peer.answer.body}`);
    }
    await peer.next('a welcome', ({ op }) => op === 'welcome');
    return peer;
  }

  get answer(): HttpAnswer {
    const [statusLine, ...lines] = this.head!.split('\r\n');
    const fields = lines.map((line) => /^([^:]*): ?(.*)$/.exec(line)!);
    return {
      status: Number(statusLine!.split(' ')[1]),
      headers: new Map(fields.map(([, name, value]) => [name!.toLowerCase(), value!])),
      body: this.received.toString(),
    };
  }

  /** Whether the TCP connection is gone. */
  get isGone(): boolean {
    return this.gone;
  }

  get texts(): ServerFrame[] {
    return this.frames
      .filter(({ opcode }) => opcode === Opcode.Text)
      .map(({ payload }) => JSON.parse(payload.toString()) as ServerFrame);
  }

  /** Code and reason of the server's close frame, once it came. */
  get close(): { readonly code: number; readonly reason: string } | undefined {
    const frame = this.frames.find(({ opcode }) => opcode === Opcode.Close);
    return (
      frame && { code: frame.payload.readUInt16BE(0), reason: frame.payload.toString('utf8', 2) }
    );
  }

  send(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  sendText(value: unknown): void {
    this.send(textFrame(value));
  }

  /** The first text frame that fits, wherever it is. */
  async next(what: string, fits: (frame: ServerFrame) => boolean): Promise<ServerFrame> {
    await eventually(what, () => this.texts.some(fits) || this.isGone || this.close !== undefined);
    const found = this.texts.find(fits);
    if (found !== undefined) return found;
    throw new Error(`${what} did not come; the close is ${JSON.stringify(this.close)}`);
  }

  /** The code that the server closed with, or 1006 when it cut the connection without one. */
  async closeCode(): Promise<number> {
    await eventually('the close', () => this.isGone || this.ended || this.close !== undefined);
    return this.close?.code ?? 1006;
  }

  async headReceived(): Promise<void> {
    await eventually('an HTTP answer', () => this.head !== undefined || this.gone || this.ended);
    if (this.head === undefined) throw new Error('The server answered nothing.');
  }

  private receive(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    if (this.head === undefined) this.takeHead();
    if (this.head?.startsWith('HTTP/1.1 101')) while (this.takeFrame());
  }

  private takeHead(): void {
    const end = this.received.indexOf('\r\n\r\n');
    if (end === -1) return;
    this.head = this.received.toString('latin1', 0, end);
    this.received = this.received.subarray(end + 4);
  }

  private takeFrame(): boolean {
    if (this.received.length < 2) return false;
    const short = this.received[1]! & 0x7f;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.received.length < start) return false;
    const length =
      short < 126
        ? short
        : short === 126
          ? this.received.readUInt16BE(2)
          : Number(this.received.readBigUInt64BE(2));
    if (this.received.length < start + length) return false;
    const payload = this.received.subarray(start, start + length);
    this.frames.push({ opcode: this.received[0]! & 0x0f, payload });
    this.received = this.received.subarray(start + length);
    return true;
  }
}

const opened = new Set<RawPeer>();

/** How the server answers an upgrade that it refuses, once it has ended the connection. */
export async function refusal(
  { port }: { readonly port: number },
  options: UpgradeOptions = {},
): Promise<HttpAnswer> {
  const peer = await RawPeer.upgrade(port, options);
  await eventually('the end of a refused connection', () => peer.ended || peer.isGone);
  return peer.answer;
}

/** Cuts whatever a test left open. Call it in `afterEach`, before the applications close. */
export function cutRawPeers(): void {
  for (const { socket } of opened) socket.destroy();
  opened.clear();
}
