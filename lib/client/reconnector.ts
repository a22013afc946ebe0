import { CloseCode, shouldReconnect } from '../protocol/close-code.js';
import type { WelcomeFrame } from '../protocol/frames.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import { ClientErrorCode, LoopClientError } from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import { Connection, type FrameAfterWelcome } from './connection.js';
import type { Credentials } from './credentials.js';
import type { LoopState, LoopStateChange } from './loop-state.js';
import { timerMs, type Timer } from './timer.js';

export interface ReconnectorObserver {
  /** The state has changed; frames can be written when it is `open`. */
  changed(change: LoopStateChange): void;
  received(frame: FrameAfterWelcome, connection: Connection): void;
  problem(error: LoopClientError): void;
  /** Whether the next connection goes on from where another one has been. */
  resumes(): boolean;
}

/** Longest advice that is obeyed: a server with a broken clock must not send its clients away for a month. */
const LONGEST_ADVICE_MS = 300_000;

/** One connection after the other, until the application or the server says that it is enough. */
export class Reconnector {
  readonly #settings: ClientSettings;
  readonly #credentials: Credentials;
  readonly #observer: ReconnectorObserver;
  #state: LoopState = 'connecting';
  #connection: Connection | undefined;
  #timer: Timer | undefined;
  #attempt = 0;
  #openedAt: number | undefined;
  #adviceMs: number | undefined;

  constructor(settings: ClientSettings, credentials: Credentials, observer: ReconnectorObserver) {
    this.#settings = settings;
    this.#credentials = credentials;
    this.#observer = observer;
  }

  get state(): LoopState {
    return this.#state;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  start(): void {
    this.#change({ state: 'connecting', attempt: this.#attempt });
    // A listener may have closed the client.
    if (this.#state !== 'connecting') return;
    const connection = new Connection(this.#settings, this.#credentials, this.#observer.resumes(), {
      welcomed: (welcome) => this.#opened(welcome),
      received: (frame) => this.#observer.received(frame, connection),
      problem: (error) => this.#observer.problem(error),
      closed: (code, reason) => this.#lost(connection, code, reason),
    });
    this.#connection = connection;
    // The token function, which was just asked, may have closed the client.
    if (this.state === 'closed') connection.close(CloseCode.Normal, 'closed by the application');
  }

  /** The server's wish for the wait after the coming close. Counted from the close, so that its spread survives. */
  advise(afterMs: number): void {
    this.#adviceMs = Math.min(Math.max(afterMs, 0), LONGEST_ADVICE_MS);
  }

  close(reason: string): void {
    if (this.#state === 'closed') return;
    clearTimeout(this.#timer);
    // Before the connection ends, or its end would start the next attempt.
    this.#state = 'closed';
    this.#connection?.close(CloseCode.Normal, reason);
    this.#finish(CloseCode.Normal, reason);
  }

  #opened(welcome: WelcomeFrame): void {
    this.#openedAt = performance.now();
    this.#change({ state: 'open', welcome });
  }

  #lost(connection: Connection, code: number, reason: string): void {
    this.#connection = undefined;
    if (this.#state === 'closed') return;
    // Known when we gave the link up; the `ws` package forgets the number when it was the peer who did.
    const unsentBytes = connection.bufferedBytes;
    if (shouldReconnect(code)) this.#wait(code, reason);
    else this.#finish(code, reason);
    // After the state has changed: whoever is told may close the client, and that must be the last word.
    if (unsentBytes > 0) this.#observer.problem(unsentError(unsentBytes));
  }

  #wait(code: number, reason: string): void {
    const nextAttemptMs = this.#nextWaitMs();
    this.#timer = setTimeout(() => this.start(), timerMs(nextAttemptMs));
    this.#change({ state: 'waiting', code, reason, nextAttemptMs });
  }

  #nextWaitMs(): number {
    if (this.#wasStable()) this.#attempt = 0;
    this.#openedAt = undefined;
    const adviceMs = this.#adviceMs;
    this.#adviceMs = undefined;
    if (adviceMs !== undefined) return adviceMs;
    return fullJitterMs(this.#attempt++, this.#settings.backoff, this.#settings.random);
  }

  #wasStable(): boolean {
    return (
      this.#openedAt !== undefined &&
      performance.now() - this.#openedAt >= this.#settings.backoff.stableMs
    );
  }

  #finish(code: number, reason: string): void {
    this.#change({ state: 'closed', code, reason });
  }

  #change(change: LoopStateChange): void {
    if (this.#state === 'closed' && change.state !== 'closed') return;
    this.#state = change.state;
    this.#observer.changed(change);
  }
}

function unsentError(bytes: number): LoopClientError {
  return new LoopClientError(
    ClientErrorCode.ConnectionLost,
    `The connection broke while ${bytes} bytes were still on their way: the last events sent may not have arrived.`,
  );
}
