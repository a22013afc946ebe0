import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { LoopApp } from './loop-app.js';
import { RawPeer } from './raw-peer.js';

type Done = (error?: Error | null) => void;

interface Written {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

/**
 * A TCP socket behind a stream that counts what the kernel would be asked to do: each entry of `writes` is one system
 * call. While it is stuck it takes bytes and never finishes, as a socket does whose peer has closed its window.
 */
export class CountedStream extends Duplex {
  /** For each write the buffers that it was made of. */
  readonly writes: Buffer[][] = [];
  private waiting: (() => void) | undefined;
  private stuck = false;

  constructor(private readonly tcp: Socket) {
    super({ allowHalfOpen: true, decodeStrings: false }); // as sockets do
    tcp.on('data', (chunk) => this.push(chunk) || tcp.pause());
    tcp.on('end', () => this.push(null));
    tcp.on('error', () => {}); // a close follows
    tcp.on('close', () => this.destroy());
  }

  stick(): void {
    this.stuck = true;
  }

  unstick(): void {
    this.stuck = false;
    this.waiting?.();
    this.waiting = undefined;
  }

  override _read(): void {
    this.tcp.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: Done): void {
    this.put([bytesOf(chunk, encoding)], done);
  }

  override _writev(chunks: readonly Written[], done: Done): void {
    this.put(
      chunks.map(({ chunk, encoding }) => bytesOf(chunk, encoding)),
      done,
    );
  }

  override _final(done: Done): void {
    this.tcp.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    this.tcp.destroy();
    done(error);
  }

  private put(buffers: Buffer[], done: Done): void {
    this.writes.push(buffers);
    const write = (): boolean => this.tcp.write(Buffer.concat(buffers), done);
    if (this.stuck) this.waiting = write;
    else write();
  }
}

export interface CountedFront {
  readonly port: number;
  /** One per connection, in the order of arrival. */
  readonly streams: readonly CountedStream[];
}

const fronts = new Set<Server>();

/** A second way into the application, whose connections run over counted streams. */
export async function startCountedFront({ app }: LoopApp): Promise<CountedFront> {
  const http = app.getHttpServer() as HttpServer;
  const streams: CountedStream[] = [];
  const front = createServer({ allowHalfOpen: true }, (tcp) => {
    const stream = new CountedStream(tcp);
    streams.push(stream);
    http.emit('connection', stream); // documented: any Duplex may be injected
  });
  fronts.add(front);
  await new Promise<void>((resolve) => {
    front.listen(0, '127.0.0.1', resolve);
  });
  return { port: (front.address() as AddressInfo).port, streams };
}

/** A peer of that account and the stream that it is connected over. */
export async function countedPeer(app: LoopApp, token: string): Promise<[RawPeer, CountedStream]> {
  const front = await startCountedFront(app);
  const peer = await RawPeer.open(front.port, { token });
  return [peer, front.streams[0]!];
}

/** Call it in `afterEach`. */
export function closeCountedFronts(): void {
  for (const front of fronts) front.close();
  fronts.clear();
}

function bytesOf(chunk: Buffer | string, encoding: BufferEncoding): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}
