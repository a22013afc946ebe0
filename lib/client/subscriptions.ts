import { ErrorCode } from '../protocol/error-code.js';
import { MAX_NAME_LENGTH } from '../protocol/event-name.js';
import type { DeniedPattern, WelcomeFrame } from '../protocol/frames.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import { ClientErrorCode, LoopClientError, LoopSubscriptionError } from './client-errors.js';
import type { EventHandlers } from './event-handlers.js';
import type { Answer } from './request-table.js';
import type { Timer } from './timer.js';

export interface SubscriptionsObserver {
  /** Sends the frame on the open connection; rejects with a {@link LoopClientError} when that fails. */
  tell(op: 'subscribe' | 'unsubscribe', patterns: readonly string[]): Promise<Answer>;
  /** Once everything that is wanted was answered: what is replayed is what the patterns match. */
  allAnswered(): Promise<void> | undefined;
  problem(error: LoopClientError): void;
}

/** Quotes, comma and some air around each pattern of a frame. */
const PATTERN_BYTES = MAX_NAME_LENGTH + 8;

/**
 * A server refuses a frame of more patterns than a connection may hold, and does not say how many those are. Half of
 * what it takes by default, so that a client rarely has to find out.
 */
const MAX_PATTERNS_PER_FRAME = 100;

/** Waits before a frame that failed is asked again: short, since events are missed meanwhile. */
const AGAIN_BACKOFF = { baseMs: 250, capMs: 10_000 };

/** Keeps the server's idea of what this connection wants equal to ours, with one frame per tick. */
export class Subscriptions {
  readonly #handlers: Pick<EventHandlers, 'wants' | 'wanted'>;
  readonly #observer: SubscriptionsObserver;
  readonly #changed = new Set<string>();
  /** What the server holds for us, or may hold: asked for, and neither denied nor unsubscribed since. */
  readonly #told = new Set<string>();
  /** Those of them that the server has failed to answer for. */
  readonly #failed = new Set<string>();
  readonly #unanswered = new Set<Promise<void>>();
  readonly #waiting = new Set<() => void>();
  #givenByServer = new Set<string>();
  #patternsPerFrame = 1;
  /** True while frames of `#patternsPerFrame` may still be too long for the server. */
  #probing = false;
  #connected = false;
  #againTimer: Timer | undefined;
  #attempt = 0;

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
    this.#patternsPerFrame = patternsPerFrame(welcome);
    this.#changed.clear();
    this.retry();
  }

  disconnected(): void {
    this.#connected = false;
    this.#probing = false;
    this.#attempt = 0;
    clearTimeout(this.#againTimer);
    this.#againTimer = undefined;
    this.#told.clear();
    this.#failed.clear();
    // Nothing will be answered any more: the next connection asks for everything.
    this.#wakeWaiting();
  }

  /** Asks again for whatever is wanted and not subscribed: after a reconnect, or with new credentials. */
  retry(): void {
    for (const pattern of this.#handlers.wanted()) this.#changed.add(pattern);
    this.flush();
  }

  /** The server took new credentials, and ended what they do not allow. */
  refreshed(removed: readonly string[]): void {
    // First, while the removed ones still count as told: the new credentials have just been asked about them.
    this.retry();
    for (const pattern of removed) this.#removed(pattern);
  }

  /** Also when nothing is left to subscribe. */
  resume(): void {
    if (this.#connected && this.#isSettled()) this.#resume();
  }

  /** Tells the server what has changed, unsubscribing first: a connection may hold only so many patterns. */
  flush(): void {
    if (!this.#connected || this.#changed.size === 0) return;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#unsubscribe(changed.filter((pattern) => this.#isLeft(pattern)));
    this.#subscribe(changed.filter((pattern) => this.#isMissing(pattern)));
    for (const pattern of changed) this.#failed.delete(pattern);
  }

  /** Resolves when the server has granted or denied everything that is wanted, or the connection has ended. */
  settled(): Promise<void> {
    this.flush();
    if (this.#isSettled()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #isSettled(): boolean {
    if (!this.#connected) return true;
    return this.#unanswered.size + this.#failed.size + this.#changed.size === 0;
  }

  #isMissing(pattern: string): boolean {
    const asked = this.#told.has(pattern) && !this.#failed.has(pattern);
    return this.#handlers.wants(pattern) && !asked;
  }

  /** What the server subscribed by itself is the server's to end. */
  #isLeft(pattern: string): boolean {
    return (
      !this.#handlers.wants(pattern) && this.#told.has(pattern) && !this.#givenByServer.has(pattern)
    );
  }

  #subscribe(patterns: readonly string[]): void {
    for (const part of this.#frames(patterns)) {
      if (this.#mustWait()) this.#askLater(part);
      else this.#ask(part);
    }
  }

  /**
   * A refused frame counts toward closing the connection, so while the length that the server takes is unknown, one
   * frame at a time finds it out.
   */
  #mustWait(): boolean {
    return this.#probing && this.#unanswered.size > 0;
  }

  #askLater(patterns: readonly string[]): void {
    for (const pattern of patterns) this.#changed.add(pattern);
  }

  #ask(patterns: readonly string[]): void {
    for (const pattern of patterns) this.#told.add(pattern);
    this.#track(
      this.#observer.tell('subscribe', patterns).then(
        (answer) => this.#answered(patterns, answer),
        (error: unknown) => this.#refused(patterns, error),
      ),
    );
  }

  #unsubscribe(patterns: readonly string[]): void {
    for (const part of this.#frames(patterns)) {
      for (const pattern of part) this.#told.delete(pattern);
      const answer = this.#observer.tell('unsubscribe', part);
      this.#track(
        answer.then(
          () => {},
          (error: unknown) => this.#report(part, error),
        ),
      );
    }
  }

  #frames(patterns: readonly string[]): string[][] {
    const count = Math.ceil(patterns.length / this.#patternsPerFrame);
    const length = this.#patternsPerFrame;
    return Array.from({ length: count }, (_, index) =>
      patterns.slice(index * length, (index + 1) * length),
    );
  }

  #track(handled: Promise<void>): void {
    const tracked = handled.finally(() => {
      this.#unanswered.delete(tracked);
      this.#goOn();
    });
    this.#unanswered.add(tracked);
  }

  /** Sends what has waited for an answer, and wakes whoever waits for the last one. */
  #goOn(): void {
    this.flush();
    if (!this.#isSettled()) return;
    this.#attempt = 0;
    if (!this.#resume()) this.#wakeWaiting();
  }

  /** Whether there was something to ask for. Without a handler there is nobody to replay to, so far. */
  #resume(): boolean {
    const [wanted] = this.#handlers.wanted();
    const asked = wanted === undefined ? undefined : this.#observer.allAnswered();
    if (asked !== undefined) this.#track(asked);
    return asked !== undefined;
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #answered(patterns: readonly string[], frame: Answer): void {
    if (patterns.length >= this.#patternsPerFrame) this.#probing = false;
    const denied: readonly unknown[] = frame.op === 'ok' ? (frame.denied ?? []) : [];
    for (const denial of denied.filter(isDeniedPattern)) this.#denied(denial);
  }

  #denied(denial: DeniedPattern): void {
    this.#told.delete(denial.pattern);
    this.#observer.problem(new LoopSubscriptionError(denial));
  }

  #removed(pattern: string): void {
    // Once it is subscribed again, that is our doing and ours to end.
    this.#givenByServer.delete(pattern);
    const held = this.#told.delete(pattern);
    if (!held || !this.#handlers.wants(pattern)) return;
    const message = `The new credentials do not allow the subscription to "${pattern}".`;
    this.#denied({ pattern, code: ErrorCode.Forbidden, message });
  }

  /** The whole frame was refused or failed. */
  #refused(patterns: readonly string[], error: unknown): void {
    if (!this.#connected) return;
    if (isTooLong(patterns, error)) return this.#askInHalves(patterns);
    this.#report(patterns, error);
    if (isDecision(error)) for (const pattern of patterns) this.#told.delete(pattern);
    else this.#askAgainSoon(patterns);
  }

  #askInHalves(patterns: readonly string[]): void {
    for (const pattern of patterns) this.#told.delete(pattern);
    this.#patternsPerFrame = Math.min(this.#patternsPerFrame, Math.floor(patterns.length / 2));
    this.#probing = true;
    this.#askLater(patterns);
  }

  /** The server may have subscribed them or not. Asking twice is harmless; they stay told, to be unsubscribed if left. */
  #askAgainSoon(patterns: readonly string[]): void {
    for (const pattern of patterns) if (this.#told.has(pattern)) this.#failed.add(pattern);
    this.#againTimer ??= setTimeout(
      () => this.#askAgain(),
      fullJitterMs(this.#attempt++, AGAIN_BACKOFF),
    );
  }

  #askAgain(): void {
    this.#againTimer = undefined;
    this.#askLater([...this.#failed]);
    // Also when nothing is left to ask for: someone may wait for that.
    this.#goOn();
  }

  #report(patterns: readonly string[], error: unknown): void {
    if (!(error instanceof LoopClientError) || isAboutTheConnection(error)) return;
    const { code, message } = error;
    for (const pattern of patterns) {
      this.#observer.problem(new LoopSubscriptionError({ pattern, code, message }));
    }
  }
}

function patternsPerFrame({ maxPayload }: WelcomeFrame): number {
  return Math.min(MAX_PATTERNS_PER_FRAME, Math.max(1, Math.floor(maxPayload / PATTERN_BYTES)));
}

/** Of a single pattern it is a denial: there is nothing to halve. */
function isTooLong(patterns: readonly string[], error: unknown): boolean {
  const tooMany = error instanceof LoopClientError && error.code === ErrorCode.TooManySubscriptions;
  return tooMany && patterns.length > 1;
}

/** Whether the server has decided against the frame; it would do so again, unlike after a failure. */
function isDecision(error: unknown): boolean {
  if (!(error instanceof LoopClientError) || isAboutTheConnection(error)) return false;
  const failures: readonly string[] = [
    ErrorCode.Timeout,
    ErrorCode.Internal,
    ErrorCode.Unavailable,
  ];
  return !failures.includes(error.code);
}

/** The application need not hear of these: either the frame is asked again soon, or the next connection asks. */
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
