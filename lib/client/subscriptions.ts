import { MAX_NAME_LENGTH } from '../protocol/event-name.js';
import type { DeniedPattern, OkFrame, WelcomeFrame } from '../protocol/frames.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import type { Ask } from './calls.js';
import { LoopClientError, LoopSubscriptionError } from './client-errors.js';
import type { Positions } from './positions.js';
import type { WireFrame } from './frame-text.js';
import type { Timer } from './timer.js';

/** Keeps the server's idea of what this connection wants equal to ours, with one frame per tick. */
export interface Subscriptions {
  /** The pattern became wanted or unwanted. */
  readonly changed: (pattern: string) => void;
  readonly connected: (welcome: WelcomeFrame) => void;
  readonly disconnected: () => void;
  /** The server took new credentials: asks anew for what it refused, and takes note of what it `removed`. */
  readonly refreshed: (removed?: readonly string[]) => void;
  /** Tells the server what has changed. */
  readonly flush: () => void;
  /** Resolves when the server has granted or denied everything that is wanted, or the connection has ended. */
  readonly settled: () => Promise<void>;
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

/** After these the server may decide otherwise the next time. */
const FAILURES = ['timeout', 'internal', 'unavailable', 'not_open'];

export function createSubscriptions(
  handlers: { has(pattern: string): boolean; topics(): Iterable<string> },
  positions: Pick<Positions, 'since' | 'resumed' | 'failed'>,
  ask: Ask,
  report: (error: LoopClientError) => void,
): Subscriptions {
  /** What the server holds for us, or may hold: asked for, and neither denied nor unsubscribed since. */
  const told = new Set<string>();
  /** Those of them that the server has failed to answer for. */
  const failed = new Set<string>();
  /** What is asked for again with other credentials or on the next connection. */
  const denied = new Set<string>();
  const wakers = new Set<() => void>();
  let givenByServer = new Set<string>();
  let isConnected = false;
  let hasChanged = false;
  let unanswered = 0;
  let patternsPerFrame = 1;
  /** True while frames of so many patterns may still be too long for the server. */
  let isProbing = false;
  let timer: Timer | undefined;
  let attempt = 0;

  /** Unsubscribes first: a connection may hold only so many patterns. */
  function flush(): void {
    if (!isConnected || !hasChanged) return;
    hasChanged = false;
    // What the server subscribed by itself is the server's to end.
    const isLeft = (p: string): boolean => !handlers.has(p) && !givenByServer.has(p);
    const isMissing = (p: string): boolean => !told.has(p) && !denied.has(p);
    tell('unsubscribe', [...told].filter(isLeft));
    tell('subscribe', [...handlers.topics()].filter(isMissing));
  }

  function tell(op: 'subscribe' | 'unsubscribe', patterns: string[]): void {
    while (patterns.length > 0) {
      // A refused frame counts toward closing the connection, so one at a time finds out what the server takes.
      hasChanged = isProbing && unanswered > 0;
      if (hasChanged) return;
      const part = patterns.splice(0, patternsPerFrame);
      for (const pattern of part) told[op === 'subscribe' ? 'add' : 'delete'](pattern);
      void send(
        { op, patterns: part },
        (answer) => {
          if (part.length >= patternsPerFrame) isProbing = false;
          for (const denial of answer.denied ?? []) if (isDenial(denial)) deny(denial);
        },
        (error) => refused(part, error),
      );
    }
  }

  async function send(
    frame: WireFrame,
    answered: (answer: OkFrame) => void,
    refusedBy: (error: LoopClientError) => void,
  ): Promise<void> {
    unanswered++;
    try {
      answered((await ask(frame)) as OkFrame);
    } catch (error) {
      if (isConnected) refusedBy(error as LoopClientError);
    }
    unanswered--;
    goOn();
  }

  function deny(denial: DeniedPattern): void {
    told.delete(denial.pattern);
    denied.add(denial.pattern);
    report(new LoopSubscriptionError(denial));
  }

  /** The whole frame was refused or failed. */
  function refused(patterns: readonly string[], { code, message }: LoopClientError): void {
    if (code === 'too_many_subscriptions' && patterns.length > 1) {
      for (const pattern of patterns) told.delete(pattern);
      patternsPerFrame = Math.min(patternsPerFrame, Math.floor(patterns.length / 2));
      isProbing = hasChanged = true;
      return;
    }
    const isFailure = FAILURES.includes(code);
    if (isFailure) askAgainSoon();
    for (const pattern of patterns) {
      if (code !== 'not_open') deny({ pattern, code, message });
      if (!isFailure) continue;
      // The server may hold it or not: it stays told, to be unsubscribed if it is left.
      told.add(pattern);
      failed.add(pattern);
    }
  }

  /** Asking twice is harmless. */
  function askAgainSoon(): void {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        for (const pattern of failed) {
          told.delete(pattern);
          denied.delete(pattern);
        }
        failed.clear();
        hasChanged = true;
        goOn();
      },
      fullJitterMs(attempt++, AGAIN_BACKOFF),
    );
  }

  const isSettled = (): boolean =>
    !isConnected || !(unanswered > 0 || hasChanged || timer !== undefined);

  /** Sends what has waited for an answer; after the last one asks for what was missed, and wakes whoever waits. */
  function goOn(): void {
    flush();
    if (!isSettled()) return;
    attempt = 0;
    // Without a handler there is nobody to replay to, so far.
    const [wanted] = handlers.topics();
    const since = isConnected && wanted !== undefined ? positions.since() : undefined;
    if (since === undefined) return wake();
    void send(
      { op: 'subscribe', patterns: [], since },
      (answer) => positions.resumed(since, answer),
      (error) => {
        if (FAILURES.includes(error.code)) {
          positions.failed();
          askAgainSoon();
        } else {
          positions.resumed(since);
          report(error);
        }
      },
    );
  }

  function wake(): void {
    for (const resolve of wakers) resolve();
    wakers.clear();
  }

  function retry(): void {
    denied.clear();
    hasChanged = true;
    flush();
  }

  return {
    changed(pattern) {
      denied.delete(pattern);
      hasChanged = true;
      queueMicrotask(flush);
    },
    connected({ subscriptions, maxPayload }) {
      isConnected = true;
      givenByServer = new Set(subscriptions);
      patternsPerFrame = Math.min(
        MAX_PATTERNS_PER_FRAME,
        Math.max(1, Math.floor(maxPayload / PATTERN_BYTES)),
      );
      retry();
      goOn();
    },
    disconnected() {
      isConnected = isProbing = false;
      attempt = 0;
      clearTimeout(timer);
      timer = undefined;
      told.clear();
      failed.clear();
      // Nothing will be answered any more: the next connection asks for everything.
      wake();
    },
    refreshed(removed = []) {
      // First, while the removed ones still count as told: the new credentials have just been asked about them.
      retry();
      for (const pattern of removed) {
        // Once it is subscribed again, that is our doing and ours to end.
        givenByServer.delete(pattern);
        if (told.delete(pattern) && handlers.has(pattern)) {
          const message = `The new credentials do not allow the subscription to "${pattern}".`;
          deny({ pattern, code: 'forbidden', message });
        }
      }
    },
    flush,
    settled() {
      flush();
      return isSettled() ? Promise.resolve() : new Promise((resolve) => wakers.add(resolve));
    },
  };
}

/** The codec checks that the list is one, not what is in it. */
function isDenial(value: Partial<DeniedPattern> | null): value is DeniedPattern {
  return [value?.pattern, value?.code, value?.message].every((text) => typeof text === 'string');
}
