import { type Chunk, CHUNK_ENCODING } from './chunk.js';
import { type LoopSocket, type LoopStream, SOCKET_OPEN } from './loop-socket.js';
import type { JoinedFrames } from './joined-frames.js';
import type { TextFrame } from './text-frame.js';

/** Bytes handed to the stream at a time. This is a stream's default high-water mark since Node 22. */
const WRITE_AHEAD_BYTES = 65_536;

/** Longer writes are not joined: copying them costs more than the kernel saves, and takes as much memory again. */
const MAX_JOINED_BYTES = 2 * WRITE_AHEAD_BYTES;

/** What an outbox writes to. */
export interface Wire {
  /** `false` once a close frame was sent or received: nothing may follow it. */
  readonly writable: boolean;
  /** Bytes handed over that the kernel has not taken yet. */
  readonly backlog: number;
  /** A backlog of this many bytes is enough for now, and is certain to be followed by a drain. Does not change. */
  readonly writeAhead: number;
  /** Writes the frames in one system call. The array belongs to the wire from then on. */
  write(frames: readonly TextFrame[]): void;
  /** Calls the listener whenever the backlog may have fallen to at most `smallEnough` bytes. */
  onDrain(listener: () => void, smallEnough: number): void;
}

export function wireOf(socket: LoopSocket, stream: LoopStream, joined: JoinedFrames): Wire {
  return socket.extensions === ''
    ? new StreamWire(socket, stream, joined)
    : new ExtensionWire(socket, stream);
}

/**
 * Writes finished frames directly to the stream. That is safe next to the frames that the socket writes itself (pings,
 * pongs, close), because each of those is written whole in one turn as well.
 */
class StreamWire implements Wire {
  /** Absent if the stream's `drain` events suffice. */
  private written: (() => void) | undefined;

  constructor(
    private readonly socket: LoopSocket,
    private readonly stream: LoopStream,
    private readonly joined: JoinedFrames,
  ) {}

  get writable(): boolean {
    return this.socket.readyState === SOCKET_OPEN;
  }

  get backlog(): number {
    return this.stream.writableLength;
  }

  /** The stream reports a drain only after reaching its high-water mark, which an application may have raised. */
  get writeAhead(): number {
    return Math.max(WRITE_AHEAD_BYTES, this.stream.writableHighWaterMark);
  }

  write(frames: readonly TextFrame[]): void {
    if (frames.length === 1) this.put(frames[0]!.chunk);
    else if (lengthOf(frames) > MAX_JOINED_BYTES) this.putEach(frames);
    else this.put(this.joined.chunkOf(frames));
  }

  /** A backlog that stayed below the high-water mark empties without a `drain` event. */
  onDrain(listener: () => void, smallEnough: number): void {
    this.stream.on('drain', listener);
    if (smallEnough < this.stream.writableHighWaterMark) this.written = listener;
  }

  private putEach(frames: readonly TextFrame[]): void {
    this.stream.cork();
    for (const { chunk } of frames) this.put(chunk);
    this.stream.uncork();
  }

  private put(chunk: Chunk): void {
    this.stream.write(chunk, CHUNK_ENCODING, this.written);
  }
}

/** With an extension such as compression, each connection needs its own frames, and only the socket can make them. */
class ExtensionWire implements Wire {
  readonly writeAhead = WRITE_AHEAD_BYTES;
  private written: () => void = () => {};

  constructor(
    private readonly socket: LoopSocket,
    private readonly stream: LoopStream,
  ) {}

  get writable(): boolean {
    return this.socket.readyState === SOCKET_OPEN;
  }

  get backlog(): number {
    return this.socket.bufferedAmount;
  }

  write(frames: readonly TextFrame[]): void {
    this.stream.cork();
    for (const { payload } of frames) {
      this.socket.send(payload, { binary: false }, () => this.written());
    }
    this.stream.uncork();
  }

  onDrain(listener: () => void): void {
    this.written = listener;
  }
}

function lengthOf(frames: readonly TextFrame[]): number {
  let bytes = 0;
  for (const { length } of frames) bytes += length;
  return bytes;
}
