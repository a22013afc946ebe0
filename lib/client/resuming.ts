import { ErrorCode } from '../protocol/error-code.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import { LoopClientError } from './client-errors.js';
import type { Positions } from './positions.js';
import type { Answer } from './request-table.js';
import type { Timer } from './timer.js';

export interface ResumingObserver {
  /** Tells the server where we were; rejects with a {@link LoopClientError}. */
  ask(since: Readonly<Record<string, string>>): Promise<Answer>;
  problem(error: LoopClientError): void;
  /** It failed, and may be tried again now. */
  again(): void;
}

const AGAIN_BACKOFF = { baseMs: 250, capMs: 10_000 };

/** Asks for what was missed, once on each connection that follows another one, and for the latest where it is wanted. */
export class Resuming {
  readonly #positions: Positions;
  readonly #observer: ResumingObserver;
  #isDue = false;
  #isAsking = false;
  #wantsLatest = false;
  #attempt = 0;
  #timer: Timer | undefined;

  constructor(positions: Positions, observer: ResumingObserver) {
    this.#positions = positions;
    this.#observer = observer;
  }

  /** Whether what was missed is still to come: then the server is ahead of what came. */
  get pending(): boolean {
    return this.#isDue || this.#isAsking;
  }

  wantLatest(topic: string): void {
    this.#positions.wantLatest(topic);
    this.#wantsLatest = true;
  }

  connected(): void {
    this.#isDue = this.#positions.any;
    this.#attempt = 0;
  }

  disconnected(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** `undefined` when there is nothing to ask for. */
  run(): Promise<void> | undefined {
    if (this.#timer !== undefined || !(this.#isDue || this.#wantsLatest)) return undefined;
    const since = this.#positions.since(this.#isDue);
    this.#isDue = this.#wantsLatest = false;
    this.#isAsking = true;
    return this.#observer.ask(since).then(
      (answer) => {
        this.#isAsking = false;
        if (answer.op === 'ok') this.#positions.resumed(since, answer.resumed, answer.reset);
      },
      (error: unknown) => this.#failed(error, since),
    );
  }

  /** The server still holds back what it was not asked for, so this is asked again on the same connection. */
  #failed(error: unknown, since: Readonly<Record<string, string>>): void {
    this.#isAsking = false;
    if (!(error instanceof LoopClientError)) return;
    const isWorthwhile: readonly string[] = [ErrorCode.Timeout, ErrorCode.Unavailable];
    if (!isWorthwhile.includes(error.code)) return this.#observer.problem(error);
    for (const topic of Object.keys(since)) this.wantLatest(topic); // unless it is known where we are
    this.#isDue = true;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#observer.again();
      },
      fullJitterMs(this.#attempt++, AGAIN_BACKOFF),
    );
  }
}
