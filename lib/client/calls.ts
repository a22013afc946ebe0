import type { ClientFrame, ErrorFrame, FrameId } from '../protocol/frames.js';
import { checkedName } from './checked-name.js';
import {
  ClientErrorCode,
  closedError,
  LoopClientError,
  LoopRequestError,
} from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import type { Connection } from './connection.js';
import { encodeClientFrame } from './frame-text.js';
import { Outbox, type OutgoingFrame } from './outbox.js';
import { RequestTable, type Answer } from './request-table.js';

/** A frame that can carry an `id`. */
type AskingFrame = Extract<ClientFrame, { readonly id?: FrameId }>;

/** What the client says to the server, and the answers it waits for. */
export class Calls {
  readonly #timeoutMs: number;
  readonly #problem: (error: LoopClientError) => void;
  readonly #outbox: Outbox;
  readonly #requests = new RequestTable((id) => this.#outbox.withdraw(id));
  #closed = false;

  constructor(
    settings: Pick<ClientSettings, 'maxBufferedBytes' | 'requestTimeoutMs'>,
    problem: (error: LoopClientError) => void,
  ) {
    this.#timeoutMs = settings.requestTimeoutMs;
    this.#problem = problem;
    this.#outbox = new Outbox(settings.maxBufferedBytes, {
      written: ({ id }) => this.#markWritten(id),
      refused: (frame, error) => this.#fail(frame, error),
    });
  }

  /** Sends an event and wants no reply. Throws a {@link LoopClientError} when it can be neither sent nor kept. */
  send(event: string, data: unknown): void {
    this.#post({ op: 'event', event: checkedName(event), data }, `"${event}"`);
  }

  /** Sends an event and resolves with the data of the reply. */
  async request(event: string, data: unknown, timeoutMs?: number): Promise<unknown> {
    const frame: AskingFrame = { op: 'event', event: checkedName(event), data };
    const answer = await this.ask(frame, `"${event}"`, timeoutMs);
    return answer.op === 'reply' ? answer.data : undefined;
  }

  /** Asks as soon as there is a connection. */
  async ask(frame: AskingFrame, what: string, timeoutMs = this.#timeoutMs): Promise<Answer> {
    const id = this.#requests.nextId();
    const written = this.#post({ ...frame, id }, what, id);
    return this.#requests.waitFor({ id, what, timeoutMs, written });
  }

  /** Asks on the connection that is open now, or not at all. */
  async askNow(frame: AskingFrame, what: string): Promise<Answer> {
    const id = this.#requests.nextId();
    if (!this.#outbox.write(encodeClientFrame({ ...frame, id }))) throw notOpenError(what);
    return this.#requests.waitFor({ id, what, timeoutMs: this.#timeoutMs, written: true });
  }

  answered(answer: Answer): void {
    this.#requests.resolve(answer);
  }

  /** An error that belongs to no call is told to whoever listens for problems. */
  refused(frame: ErrorFrame): void {
    const { code, message, details } = frame;
    if (!this.#requests.refuse(frame))
      this.#problem(new LoopClientError(code, message, { details }));
  }

  connected(connection: Connection): void {
    this.#outbox.connected(connection);
  }

  /** Sends what has waited for a connection. */
  release(): void {
    this.#outbox.release();
  }

  disconnected(): void {
    this.#outbox.disconnected();
    this.#requests.connectionLost();
  }

  /** Ends everything that still waits. */
  close(): void {
    this.#closed = true;
    this.disconnected();
    for (const frame of this.#outbox.clear()) this.#fail(frame, neverSentError(frame.what));
  }

  #post(frame: ClientFrame, what: string, id?: FrameId): boolean {
    if (this.#closed) throw closedError();
    return this.#outbox.post({ text: encodeClientFrame(frame), what, id });
  }

  #markWritten(id: FrameId | undefined): void {
    if (id !== undefined) this.#requests.written(id);
  }

  #fail({ id }: OutgoingFrame, error: LoopClientError): void {
    if (id === undefined) return this.#problem(error);
    this.#requests.reject(id, new LoopRequestError(error.code, error.message));
  }
}

function notOpenError(what: string): LoopRequestError {
  return new LoopRequestError(
    ClientErrorCode.NotOpen,
    `There is no open connection for ${what}: wait for ready().`,
  );
}

function neverSentError(what: string): LoopClientError {
  return new LoopClientError(
    ClientErrorCode.Closed,
    `The client was closed before ${what} could be sent.`,
  );
}
