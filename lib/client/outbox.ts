import type { FrameId } from '../protocol/frames.js';
import { ClientErrorCode, LoopClientError } from './client-errors.js';
import type { Connection } from './connection.js';
import { byteLength } from './frame-text.js';

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

/** Writes frames while there is an open connection, and keeps a bounded number of bytes of them while there is none. */
export class Outbox {
  readonly #maxBytes: number;
  readonly #observer: OutboxObserver;
  #waiting: WaitingFrame[] = [];
  #waitingBytes = 0;
  #connection: Connection | undefined;
  #maxPayload = Infinity;

  constructor(maxBytes: number, observer: OutboxObserver) {
    this.#maxBytes = maxBytes;
    this.#observer = observer;
  }

  /** Writes or keeps the frame; true when it was written. Throws a {@link LoopClientError} when it can do neither. */
  post(frame: OutgoingFrame): boolean {
    const sized = { ...frame, bytes: byteLength(frame.text) };
    const refusal = this.#tooLong(sized) ?? this.#noRoom(sized);
    if (refusal !== undefined) throw refusal;
    return this.#writeOrKeep(sized);
  }

  /** For frames that mean something to this connection only: written now or not at all, and outside the bound. */
  write(text: string): boolean {
    return this.#connection?.write(text) === true;
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.#maxPayload = connection.maxPayload;
  }

  /** Sends what has waited, in the order in which it was posted. */
  release(): void {
    for (const frame of this.#takeAll()) this.#sendWaiting(frame);
  }

  disconnected(): void {
    this.#connection = undefined;
  }

  withdraw(id: FrameId): void {
    const index = this.#waiting.findIndex((frame) => frame.id === id);
    const [frame] = index === -1 ? [] : this.#waiting.splice(index, 1);
    this.#waitingBytes -= frame?.bytes ?? 0;
  }

  /** Empties the buffer and hands over what was in it. */
  clear(): readonly OutgoingFrame[] {
    return this.#takeAll();
  }

  #takeAll(): WaitingFrame[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return waiting;
  }

  #sendWaiting(frame: WaitingFrame): void {
    const refusal = this.#tooLong(frame);
    if (refusal !== undefined) return this.#observer.refused(frame, refusal);
    if (this.#writeOrKeep(frame)) this.#observer.written(frame);
  }

  #writeOrKeep(frame: WaitingFrame): boolean {
    if (this.write(frame.text)) return true;
    this.#waiting.push(frame);
    this.#waitingBytes += frame.bytes;
    return false;
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
    if (held + bytes <= this.#maxBytes) return undefined;
    return new LoopClientError(
      ClientErrorCode.BufferFull,
      `${what} was not sent: it takes ${bytes} bytes, ${held} wait already and "maxBufferedBytes" is ${this.#maxBytes}. Wait until the client is open, send less, or raise the option.`,
    );
  }
}
