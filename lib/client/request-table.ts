import type { ErrorFrame, FrameId, OkFrame, ServerFrame } from '../protocol/frames.js';
import {
  ClientErrorCode,
  connectionLostError,
  LoopRequestError,
  requestErrorOf,
} from './client-errors.js';
import { timerMs, type Timer } from './timer.js';

/** A frame that answers one of ours. */
export type Answer = OkFrame | Extract<ServerFrame, { readonly op: 'reply' | 'pong' }>;

interface OpenRequest {
  readonly what: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: LoopRequestError) => void;
  readonly timer: Timer;
  written: boolean;
}

export interface RequestTerms {
  readonly id: FrameId;
  /** What is asked for, as a sentence would name it. */
  readonly what: string;
  readonly timeoutMs: number;
  /** False while the frame waits in the outgoing buffer. */
  readonly written: boolean;
}

/** Requests without an answer yet. Each ends once: answered, refused, too late, or cut off. */
export class RequestTable {
  readonly #open = new Map<FrameId, OpenRequest>();
  readonly #withdraw: (id: FrameId) => void;
  #lastId = 0;

  /** `withdraw` takes a frame out of the outgoing buffer: what has timed out must not be done later. */
  constructor(withdraw: (id: FrameId) => void) {
    this.#withdraw = withdraw;
  }

  nextId(): FrameId {
    return ++this.#lastId;
  }

  waitFor({ id, what, timeoutMs, written }: RequestTerms): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(id, timeoutMs), timerMs(timeoutMs));
      this.#open.set(id, { what, resolve, reject, timer, written });
    });
  }

  written(id: FrameId): void {
    const request = this.#open.get(id);
    if (request !== undefined) request.written = true;
  }

  /** An answer nobody waits for came after its deadline: the caller was told, so it is left out. */
  resolve(answer: Answer): void {
    if (answer.id !== undefined) this.#take(answer.id)?.resolve(answer);
  }

  /** False when the error belongs to no open request. */
  refuse(frame: ErrorFrame): boolean {
    const request = frame.id === undefined ? undefined : this.#take(frame.id);
    request?.reject(requestErrorOf(frame));
    return request !== undefined;
  }

  reject(id: FrameId, error: LoopRequestError): void {
    this.#take(id)?.reject(error);
  }

  /** The socket is gone: what was written has an unknown outcome, what was not keeps waiting for the next one. */
  connectionLost(): void {
    for (const [id, { what, written }] of this.#open) {
      if (written) this.reject(id, connectionLostError(what));
    }
  }

  #expire(id: FrameId, timeoutMs: number): void {
    const request = this.#take(id);
    if (request === undefined) return;
    if (!request.written) this.#withdraw(id);
    request.reject(timeoutError(request, timeoutMs));
  }

  #take(id: FrameId): OpenRequest | undefined {
    const request = this.#open.get(id);
    this.#open.delete(id);
    clearTimeout(request?.timer);
    return request;
  }
}

function timeoutError({ what, written }: OpenRequest, timeoutMs: number): LoopRequestError {
  const outcome = written
    ? `No answer to ${what} within ${timeoutMs} ms; whether the server acted on it is unknown.`
    : `No connection within ${timeoutMs} ms: ${what} was taken out of the buffer and never sent.`;
  return new LoopRequestError(ClientErrorCode.Timeout, outcome);
}
