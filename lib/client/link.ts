import { truncateReason } from '../protocol/close-code.js';
import { SOCKET_OPEN, type LoopWebSocket } from './web-socket.js';

const CLOSE_GRACE_MS = 2_000;

export interface LinkObserver {
  /** A message arrived: a text, or whatever the platform makes of binary. */
  message(data: unknown): void;
  /** Called once; nothing is called after it. */
  closed(code: number, reason: string): void;
}

/** One socket, which ends exactly once: by itself, or at the moment it is given up. */
export class Link {
  readonly #socket: LoopWebSocket;
  readonly #observer: LinkObserver;
  #ended = false;

  constructor(socket: LoopWebSocket, observer: LinkObserver) {
    this.#socket = socket;
    this.#observer = observer;
    socket.addEventListener('message', (event) => this.#message(event.data));
    socket.addEventListener('close', (event) => this.#end(event.code, event.reason));
    // The `ws` package throws errors that nobody listens to; a close event follows and is all that browsers tell.
    socket.addEventListener('error', () => {});
  }

  /** False as soon as the closing handshake has begun: sockets swallow what is written after it. */
  get writable(): boolean {
    return !this.#ended && this.#socket.readyState === SOCKET_OPEN;
  }

  /** Bytes that the socket holds and the network has not taken. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** False when the socket did not take it. */
  write(text: string): boolean {
    try {
      this.#socket.send(text);
      return true;
    } catch {
      return false;
    }
  }

  /** Ends now and does not wait for the peer: over a dead network the closing handshake takes minutes. */
  close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#socket.close(code, truncateReason(reason));
    this.#cutLater();
    this.#end(code, reason);
  }

  /** The `ws` package waits half a minute for a peer that does not answer the close, and keeps the process alive. */
  #cutLater(): void {
    const socket = this.#socket;
    if (socket.terminate === undefined) return;
    const timer: { unref?: () => unknown } | number = setTimeout(
      () => socket.terminate?.(),
      CLOSE_GRACE_MS,
    );
    if (typeof timer === 'object') timer.unref?.(); // the socket itself keeps the process alive until then
  }

  #message(data: unknown): void {
    if (!this.#ended) this.#observer.message(data);
  }

  #end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#observer.closed(code, reason);
  }
}
