import { MAX_NAME_LENGTH } from '../protocol/event-name.js';
import type { DeniedPattern, WelcomeFrame } from '../protocol/frames.js';
import { ClientErrorCode, LoopClientError, LoopSubscriptionError } from './client-errors.js';
import type { EventHandlers } from './event-handlers.js';
import type { Answer } from './request-table.js';

export interface SubscriptionsObserver {
  /** Sends the frame on the open connection; rejects with a {@link LoopClientError} when that fails. */
  tell(op: 'subscribe' | 'unsubscribe', patterns: readonly string[]): Promise<Answer>;
  problem(error: LoopClientError): void;
}

/** Quotes, comma and some air around each pattern of a frame. */
const PATTERN_BYTES = MAX_NAME_LENGTH + 8;

/** Keeps the server's idea of what this connection wants equal to ours, with one frame per tick. */
export class Subscriptions {
  readonly #handlers: Pick<EventHandlers, 'wants' | 'wanted'>;
  readonly #observer: SubscriptionsObserver;
  readonly #changed = new Set<string>();
  readonly #told = new Set<string>();
  readonly #unanswered = new Set<Promise<void>>();
  #givenByServer: ReadonlySet<string> = new Set();
  #patternsPerFrame = 1;
  #connected = false;

  constructor(handlers: Pick<EventHandlers, 'wants' | 'wanted'>, observer: SubscriptionsObserver) {
    this.#handlers = handlers;
    this.#observer = observer;
  }

  changed(pattern: string): void {
    this.#changed.add(pattern);
    queueMicrotask(() => this.flush());
  }

  connected(welcome: WelcomeFrame): void {
    this.#connected = true;
    this.#givenByServer = new Set(welcome.subscriptions);
    this.#patternsPerFrame = Math.max(1, Math.floor(welcome.maxPayload / PATTERN_BYTES));
    this.#changed.clear();
    this.retry();
  }

  disconnected(): void {
    this.#connected = false;
    this.#told.clear();
  }

  /** Asks again for whatever is wanted and not subscribed: after a reconnect, or with new credentials. */
  retry(): void {
    for (const pattern of this.#handlers.wanted()) this.#changed.add(pattern);
    this.flush();
  }

  /** Tells the server what has changed, unsubscribing first: a connection may hold only so many patterns. */
  flush(): void {
    if (!this.#connected || this.#changed.size === 0) return;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#unsubscribe(changed.filter((pattern) => this.#isLeft(pattern)));
    this.#subscribe(changed.filter((pattern) => this.#isMissing(pattern)));
  }

  /** Resolves when the server has answered for everything that is wanted now. */
  async settled(): Promise<void> {
    this.flush();
    await Promise.all(this.#unanswered);
  }

  #isMissing(pattern: string): boolean {
    return this.#handlers.wants(pattern) && !this.#told.has(pattern);
  }

  /** What the server subscribed by itself is the server's to end. */
  #isLeft(pattern: string): boolean {
    return (
      !this.#handlers.wants(pattern) && this.#told.has(pattern) && !this.#givenByServer.has(pattern)
    );
  }

  #subscribe(patterns: readonly string[]): void {
    for (const part of this.#frames(patterns)) {
      for (const pattern of part) this.#told.add(pattern);
      this.#track(part, this.#observer.tell('subscribe', part));
    }
  }

  #unsubscribe(patterns: readonly string[]): void {
    for (const part of this.#frames(patterns)) {
      for (const pattern of part) this.#told.delete(pattern);
      this.#track(part, this.#observer.tell('unsubscribe', part));
    }
  }

  #frames(patterns: readonly string[]): string[][] {
    const count = Math.ceil(patterns.length / this.#patternsPerFrame);
    return Array.from({ length: count }, (_, index) =>
      patterns.slice(index * this.#patternsPerFrame, (index + 1) * this.#patternsPerFrame),
    );
  }

  #track(patterns: readonly string[], answer: Promise<Answer>): void {
    const settled = answer
      .then(
        (frame) => this.#answered(frame),
        (error: unknown) => this.#failed(patterns, error),
      )
      .finally(() => this.#unanswered.delete(settled));
    this.#unanswered.add(settled);
  }

  #answered(frame: Answer): void {
    const denied: readonly unknown[] = frame.op === 'ok' ? (frame.denied ?? []) : [];
    for (const denial of denied.filter(isDeniedPattern)) this.#denied(denial);
  }

  #denied(denial: DeniedPattern): void {
    this.#told.delete(denial.pattern);
    this.#observer.problem(new LoopSubscriptionError(denial));
  }

  #failed(patterns: readonly string[], error: unknown): void {
    if (!(error instanceof LoopClientError) || isAboutTheConnection(error)) return;
    for (const pattern of patterns) {
      this.#observer.problem(
        new LoopSubscriptionError({ pattern, code: error.code, message: error.message }),
      );
    }
  }
}

/** The next connection subscribes to everything again, so these leave nothing undone. */
function isAboutTheConnection({ code }: LoopClientError): boolean {
  const codes: readonly string[] = [
    ClientErrorCode.ConnectionLost,
    ClientErrorCode.NotOpen,
    ClientErrorCode.Closed,
  ];
  return codes.includes(code);
}

/** The codec checks that the list is one, not what is in it. */
function isDeniedPattern(value: unknown): value is DeniedPattern {
  if (typeof value !== 'object' || value === null) return false;
  const { pattern, code, message } = value as Partial<Record<keyof DeniedPattern, unknown>>;
  return typeof pattern === 'string' && typeof code === 'string' && typeof message === 'string';
}
