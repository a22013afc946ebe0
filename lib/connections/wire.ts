import { type LoopSocket, type LoopStream, SOCKET_OPEN } from './loop-socket.js';
import type { TextFrame } from './text-frame.js';

/** Where an outbox writes to. */
export interface Wire {
  /** `false` once a close frame went either way: nothing may follow it. */
  readonly writable: boolean;
  /** Bytes handed over that the kernel has not taken yet. */
  readonly backlog: number;
  /** Writes the frames in one system call. */
  write(frames: readonly TextFrame[]): void;
  /** Calls back whenever the backlog may have become small enough for more. */
  onDrain(listener: () => void): void;
}

export function wireOf(socket: LoopSocket, stream: LoopStream): Wire {
  return socket.extensions === ''
    ? new StreamWire(socket, stream)
    : new ExtensionWire(socket, stream);
}

abstract class SocketWire implements Wire {
  constructor(
    protected readonly socket: LoopSocket,
    protected readonly stream: LoopStream,
  ) {}

  get writable(): boolean {
    return this.socket.readyState === SOCKET_OPEN;
  }

  abstract readonly backlog: number;

  write(frames: readonly TextFrame[]): void {
    this.stream.cork();
    for (const frame of frames) this.writeOne(frame);
    this.stream.uncork();
  }

  abstract onDrain(listener: () => void): void;

  protected abstract writeOne(frame: TextFrame): void;
}

/**
 * Puts finished frames straight onto the stream. That is safe beside the frames that the socket writes itself (pings,
 * pongs, close), because each of those is written whole in one turn as well.
 */
class StreamWire extends SocketWire {
  override get backlog(): number {
    return this.stream.writableLength;
  }

  override onDrain(listener: () => void): void {
    this.stream.on('drain', listener);
  }

  protected override writeOne(frame: TextFrame): void {
    this.stream.write(frame.bytes);
  }
}

/** With an extension such as compression each connection needs frames of its own, and only the socket can make them. */
class ExtensionWire extends SocketWire {
  private written: () => void = () => {};

  override get backlog(): number {
    return this.socket.bufferedAmount;
  }

  override onDrain(listener: () => void): void {
    this.written = listener;
  }

  protected override writeOne(frame: TextFrame): void {
    this.socket.send(frame.payload, { binary: false }, () => this.written());
  }
}
