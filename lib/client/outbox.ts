import type { FrameId } from '../protocol/frames.js';
import { ClientErrorCode, LoopClientError } from './client-errors.js';
import type { Connection } from './connection.js';
import { byteLength } from './frame-text.js';
import type { Timer } from './timer.js';

/** A frame of the application on its way out. */
export interface OutgoingFrame {
  readonly text: string;
  /** What it carries, as a sentence would name it. */
  readonly what: string;
  /** Present when an answer is wanted. */
  readonly id: FrameId | undefined;
}

interface WaitingFrame extends OutgoingFrame {
  readonly bytes: number;
}

export interface OutboxObserver {
  written(frame: OutgoingFrame): void;
  /** A frame that had been accepted cannot be sent. */
  refused(frame: OutgoingFrame, error: LoopClientError): void;
}

/** Writes frames as fast as the open connection's server takes them, and keeps a bounded number of bytes that wait. */
export class Outbox {
  readonly #maxBytes: number;
  readonly #observer: OutboxObserver;
  #waiting: WaitingFrame[] = [];
  #waitingBytes = 0;
  #connection: Connection | undefined;
  #maxPayload = Infinity;
  #timer: Timer | undefined;

  constructor(maxBytes: number, observer: OutboxObserver) {
    this.#maxBytes = maxBytes;
    this.#observer = observer;
  }

  /** Writes or keeps the frame; true when it was written. Throws a {@link LoopClientError} when it can do neither. */
  post(frame: OutgoingFrame): boolean {
    const sized = { ...frame, bytes: byteLength(frame.text) };
    const refusal = this.#tooLong(sized) ?? this.#noRoom(sized);
    if (refusal !== undefined) throw refusal;
    // Behind what waits, or the frames would not arrive in the order in which they were posted.
    if (this.#waiting.length === 0 && this.#writeInPace(sized)) return true;
    this.#waiting.push(sized);
    this.#waitingBytes += sized.bytes;
    this.#releaseLater();
    return false;
  }

  /** For frames that mean something to this connection only: written now or not at all, and outside the bound. */
  write(text: string): boolean {
    return this.#connection?.write(text) === true;
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.#maxPayload = connection.maxPayload;
  }

  /** Sends what has waited, in the order in which it was posted and as fast as the server takes it. */
  release(): void {
    for (let frame = this.#waiting[0]; frame !== undefined; frame = this.#waiting[0]) {
      const refusal = this.#tooLong(frame);
      if (refusal === undefined && !this.#writeInPace(frame)) break;
      this.#drop(0);
      if (refusal === undefined) this.#observer.written(frame);
      else this.#observer.refused(frame, refusal);
    }
    this.#releaseLater();
  }

  disconnected(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#connection = undefined;
  }

  withdraw(id: FrameId): void {
    const index = this.#waiting.findIndex((frame) => frame.id === id);
    if (index !== -1) this.#drop(index);
  }

  /** Empties the buffer and hands over what was in it. */
  clear(): readonly OutgoingFrame[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return waiting;
  }

  #drop(index: number): void {
    const [frame] = this.#waiting.splice(index, 1);
    this.#waitingBytes -= frame?.bytes ?? 0;
  }

  #writeInPace({ text }: WaitingFrame): boolean {
    const { writable = false, pace } = this.#connection ?? {};
    return writable && pace?.take() === true && this.write(text);
  }

  #releaseLater(): void {
    const pace = this.#connection?.writable === true ? this.#connection.pace : undefined;
    if (pace === undefined || this.#waiting.length === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.release();
    }, pace.waitMs);
  }

  /** The server closes a connection that sends a longer frame, and every other frame on it would be lost too. */
  #tooLong({ what, bytes }: WaitingFrame): LoopClientError | undefined {
    if (bytes <= this.#maxPayload) return undefined;
    return new LoopClientError(
      ClientErrorCode.FrameTooLarge,
      `${what} takes ${bytes} bytes and the server accepts ${this.#maxPayload}: send less at once, or raise "maxPayload" on the server.`,
    );
  }

  #noRoom({ what, bytes }: WaitingFrame): LoopClientError | undefined {
    const held = this.#waitingBytes + (this.#connection?.bufferedBytes ?? 0);
    // A single frame that nothing is in front of needs no buffer.
    if (held === 0 && this.#connection?.writable === true) return undefined;
    if (held + bytes <= this.#maxBytes) return undefined;
    return new LoopClientError(
      ClientErrorCode.BufferFull,
      `${what} was not sent: it takes ${bytes} bytes, ${held} wait already and "maxBufferedBytes" is ${this.#maxBytes}. Wait until the client is open, send less, or raise the option.`,
    );
  }
}
