import { CloseCode } from '../protocol/close-code.js';
import type { ServerFrame, WelcomeFrame } from '../protocol/frames.js';
import { decodeServerFrame, hasUnknownOp } from '../protocol/server-frame.codec.js';
import { ClientErrorCode, LoopClientError, messageOf } from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import { subprotocolsFor, type Credentials } from './credentials.js';
import { encodeClientFrame } from './frame-text.js';
import { Keepalive } from './keepalive.js';
import { Link } from './link.js';
import { Pace } from './pace.js';
import { timerMs, type Timer } from './timer.js';

export type FrameAfterWelcome = Exclude<ServerFrame, WelcomeFrame>;

export interface ConnectionObserver {
  welcomed(welcome: WelcomeFrame): void;
  received(frame: FrameAfterWelcome): void;
  /** Something went wrong that the application should hear of; the connection may live on. */
  problem(error: LoopClientError): void;
  /** Called once; nothing is called after it. */
  closed(code: number, reason: string): void;
}

/** What browsers report for a socket that ended without a closing handshake. */
const ABNORMAL = 1006;

/** Every other id is a number, so the answer to this ping is never taken for that of a request. */
const KEEPALIVE_ID = 'keepalive';

const EXCERPT_LENGTH = 200;

/** One attempt from the token to the close: it is open once the server has said welcome, not when the socket is. */
export class Connection {
  readonly #settings: ClientSettings;
  readonly #resumes: boolean;
  readonly #observer: ConnectionObserver;
  readonly #deadline: Timer;
  #link: Link | undefined;
  #keepalive: Keepalive | undefined;
  #welcome: WelcomeFrame | undefined;
  #pace: Pace | undefined;
  #ended = false;

  constructor(
    settings: ClientSettings,
    credentials: Credentials,
    resumes: boolean,
    observer: ConnectionObserver,
  ) {
    this.#settings = settings;
    this.#resumes = resumes;
    this.#observer = observer;
    this.#deadline = setTimeout(() => this.#tooLate(), timerMs(settings.connectTimeoutMs));
    void this.#dial(credentials);
  }

  get writable(): boolean {
    return this.#link?.writable === true;
  }

  /** Longest frame that the server takes, in bytes; anything before it has said so. */
  get maxPayload(): number {
    return this.#welcome?.maxPayload ?? Infinity;
  }

  get bufferedBytes(): number {
    return this.#link?.bufferedBytes ?? 0;
  }

  /** A place in what the server takes; ask before each frame that can wait. */
  get pace(): Pace | undefined {
    return this.#pace;
  }

  /** Hands a frame to the socket; false when there is no open one. */
  write(text: string): boolean {
    return this.writable && this.#link?.write(text) === true;
  }

  close(code: number, reason: string): void {
    if (this.#link === undefined) this.#end(code, reason);
    else this.#link.close(code, reason);
  }

  async #dial(credentials: Credentials): Promise<void> {
    try {
      const protocols = subprotocolsFor(await credentials.token());
      if (!this.#ended) this.#open(protocols);
    } catch (error) {
      this.#failed(error);
    }
  }

  #open(protocols: string[]): void {
    this.#link = new Link(
      new this.#settings.WebSocket(this.#settings.address(this.#resumes), protocols),
      {
        message: (data) => this.#message(data),
        closed: (code, reason) => this.#end(code, reason),
      },
    );
  }

  #failed(error: unknown): void {
    if (this.#ended) return;
    const message = `The connection could not be opened: ${messageOf(error)}`;
    this.#observer.problem(
      new LoopClientError(ClientErrorCode.ConnectFailed, message, { cause: error }),
    );
    this.#end(ABNORMAL, message);
  }

  #tooLate(): void {
    const { connectTimeoutMs } = this.#settings;
    this.close(CloseCode.HeartbeatLost, `no welcome within ${connectTimeoutMs} ms`);
  }

  #message(data: unknown): void {
    this.#keepalive?.heard();
    const frame = typeof data === 'string' ? decodeServerFrame(data) : undefined;
    if (frame === undefined) return this.#unreadable(data);
    if (frame.op !== 'welcome') return this.#observer.received(frame);
    if (this.#welcome !== undefined) return this.#unreadable(data);
    this.#opened(frame);
  }

  #opened(frame: WelcomeFrame): void {
    clearTimeout(this.#deadline);
    this.#welcome = frame;
    this.#pace = new Pace(frame);
    if (frame.heartbeatMs > 0) this.#keepAlive(frame.heartbeatMs);
    this.#observer.welcomed(frame);
  }

  #keepAlive(heartbeatMs: number): void {
    const ping = encodeClientFrame({ op: 'ping', id: KEEPALIVE_ID });
    this.#keepalive = new Keepalive(
      heartbeatMs,
      () => this.write(ping),
      () => this.close(CloseCode.HeartbeatLost, 'heartbeat lost'),
    );
  }

  #unreadable(data: unknown): void {
    if (typeof data === 'string' && hasUnknownOp(data)) return;
    this.#observer.problem(
      new LoopClientError(
        ClientErrorCode.UnreadableFrame,
        'The server sent a frame that this client cannot read; it was left out.',
        { details: typeof data === 'string' ? data.slice(0, EXCERPT_LENGTH) : 'binary' },
      ),
    );
  }

  #end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#deadline);
    this.#keepalive?.stop();
    this.#observer.closed(code, reason);
  }
}
