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
  const changed = new Set<string>();
  /** What the server holds for us, or may hold: asked for, and neither denied nor unsubscribed since. */
  const told = new Set<string>();
  /** Those of them that the server has failed to answer for. */
  const failed = new Set<string>();
  const wakers = new Set<() => void>();
  let givenByServer = new Set<string>();
  let isConnected = false;
  let unanswered = 0;
  let patternsPerFrame = 1;
  /** True while frames of so many patterns may still be too long for the server. */
  let isProbing = false;
  let timer: Timer | undefined;
  let attempt = 0;

  /** Unsubscribes first: a connection may hold only so many patterns. */
  function flush(): void {
    if (!isConnected) return;
    const patterns = [...changed];
    changed.clear();
    // What the server subscribed by itself is the server's to end.
    const isLeft = (p: string): boolean => !handlers.has(p) && told.has(p) && !givenByServer.has(p);
    send('unsubscribe', patterns.filter(isLeft));
    send(
      'subscribe',
      patterns.filter((p) => handlers.has(p) && !told.has(p)),
    );
  }

  function send(op: 'subscribe' | 'unsubscribe', patterns: readonly string[]): void {
    const length = patternsPerFrame;
    for (let at = 0; at < patterns.length; at += length) {
      const part = patterns.slice(at, at + length);
      // A refused frame counts toward closing the connection, so one at a time finds out what the server takes.
      const mustWait = isProbing && unanswered > 0;
      for (const pattern of part) {
        if (mustWait) changed.add(pattern);
        else if (op === 'subscribe') told.add(pattern);
        else told.delete(pattern);
      }
      if (!mustWait) {
        void tell(
          { op, patterns: part },
          ({ denied = [] }) => {
            if (part.length >= patternsPerFrame) isProbing = false;
            for (const denial of denied) if (isDenial(denial)) deny(denial);
          },
          (error) => refused(part, error),
        );
      }
    }
  }

  async function tell(
    frame: WireFrame,
    answered: (answer: OkFrame) => void,
    refusedBy: (error: LoopClientError) => void,
  ): Promise<void> {
    unanswered++;
    try {
      answered((await ask(frame, 'the subscription')) as OkFrame);
    } catch (error) {
      if (isConnected) refusedBy(error as LoopClientError);
    }
    unanswered--;
    goOn();
  }

  function deny(denial: DeniedPattern): void {
    told.delete(denial.pattern);
    report(new LoopSubscriptionError(denial));
  }

  /** The whole frame was refused or failed. */
  function refused(patterns: readonly string[], { code, message }: LoopClientError): void {
    const isTooLong = code === 'too_many_subscriptions' && patterns.length > 1;
    const isFailure = FAILURES.includes(code);
    if (isTooLong) {
      patternsPerFrame = Math.min(patternsPerFrame, Math.floor(patterns.length / 2));
      isProbing = true;
    }
    if (isFailure) askAgainSoon();
    for (const pattern of patterns) {
      // After a failure the server may hold it or not: it stays told, to be unsubscribed if it is left.
      if (isFailure) failed.add(pattern);
      else told.delete(pattern);
      if (isTooLong) changed.add(pattern);
      else if (code !== 'not_open') report(new LoopSubscriptionError({ pattern, code, message }));
    }
  }

  /** Asking twice is harmless. */
  function askAgainSoon(): void {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        for (const pattern of failed) {
          told.delete(pattern);
          changed.add(pattern);
        }
        failed.clear();
        goOn();
      },
      fullJitterMs(attempt++, AGAIN_BACKOFF),
    );
  }

  const isSettled = (): boolean =>
    !isConnected || (unanswered + changed.size === 0 && timer === undefined);

  /** Sends what has waited for an answer; after the last one asks for what was missed, and wakes whoever waits. */
  function goOn(): void {
    flush();
    if (!isSettled()) return;
    attempt = 0;
    // Without a handler there is nobody to replay to, so far.
    const [wanted] = handlers.topics();
    const since = wanted === undefined || !isConnected ? undefined : positions.since();
    if (since === undefined) return wake();
    void tell(
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
    for (const pattern of handlers.topics()) changed.add(pattern);
    flush();
  }

  return {
    changed(pattern) {
      changed.add(pattern);
      queueMicrotask(flush);
    },
    connected({ subscriptions, maxPayload }) {
      isConnected = true;
      givenByServer = new Set(subscriptions);
      patternsPerFrame = Math.min(
        MAX_PATTERNS_PER_FRAME,
        Math.max(1, Math.floor(maxPayload / PATTERN_BYTES)),
      );
      changed.clear();
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
        if (!told.has(pattern)) continue;
        if (handlers.has(pattern))
          deny({
            pattern,
            code: 'forbidden',
            message: `The new credentials do not allow the subscription to "${pattern}".`,
          });
        told.delete(pattern);
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
