import { MAX_NAME_LENGTH } from '../protocol/event-name.js';
import type { DeniedPattern, OkFrame, WelcomeFrame } from '../protocol/frames.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import type { Ask } from './calls.js';
import { clientError, LoopClientError } from './client-errors.js';
import { serviceTopic, type Positions } from './positions.js';
import type { LoopStatus } from './loop-state.js';
import type { Timer } from './timer.js';

/** Keeps the server's idea of what this connection wants equal to ours, with one frame per tick. */
export interface Subscriptions {
  /** The pattern became wanted or unwanted. */
  readonly change: (pattern: string) => void;
  readonly open: (welcome: WelcomeFrame) => void;
  readonly close: () => void;
  /** The server took new credentials: asks anew for what it refused, and takes note of what it `removed`. */
  readonly refresh: (removed?: readonly string[]) => void;
  /** Tells the server what has changed. */
  readonly flush: () => void;
  /** That, and once everything is answered asks for what was missed. */
  readonly goOn: () => void;
  /** Whether a pattern is for events of the topic: all are, of an account or a room. */
  readonly cover: (topic: string) => boolean;
  /** Resolves when the server has granted or denied everything that is wanted. */
  readonly ready: () => Promise<WelcomeFrame>;
}

interface SubscriptionFrame {
  readonly op: 'subscribe' | 'unsubscribe';
  readonly patterns: readonly string[];
  readonly since?: Readonly<Record<string, string>>;
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
  loop: Readonly<LoopStatus>,
  handlers: { has(pattern: string): boolean; keys(): Iterable<string> },
  positions: Pick<Positions, 'since' | 'settled' | 'leave'>,
  ask: Ask,
  report: (error: LoopClientError) => void,
): Subscriptions {
  /** What the server holds for us, or may hold: asked for, and neither denied nor unsubscribed since. */
  const told = new Set<string>();
  /** Those of them that the server has failed to answer for. */
  const failed = new Set<string>();
  /** What is asked for again with other credentials or on the next connection. */
  const denied = new Set<string>();
  /** Those who wait until everything is answered. */
  const waiters = new Set<{
    readonly resolve: (welcome: WelcomeFrame) => void;
    readonly reject: (error: LoopClientError) => void;
  }>();
  let givenByServer = new Set<string>();
  let unanswered = 0;
  let patternsPerFrame = 1;
  /** True while frames of so many patterns may still be too long for the server. */
  let isProbing = false;
  let timer: Timer | undefined;
  let attempt = 0;

  /** Unsubscribes first: a connection may hold only so many patterns. */
  function flush(): void {
    if (loop.state !== 'open') return;
    // What the server subscribed by itself is the server's to end.
    const isLeft = (p: string): boolean => !handlers.has(p) && !givenByServer.has(p);
    const isMissing = (p: string): boolean => !told.has(p) && !denied.has(p);
    tell('unsubscribe', [...told].filter(isLeft));
    tell('subscribe', [...handlers.keys()].filter(isMissing));
  }

  function tell(op: 'subscribe' | 'unsubscribe', patterns: string[]): void {
    while (patterns.length > 0) {
      // A refused frame counts toward closing the connection, so one at a time finds out what the server takes.
      if (isProbing && unanswered > 0) return;
      const part = patterns.splice(0, patternsPerFrame);
      for (const pattern of part) told[op === 'subscribe' ? 'add' : 'delete'](pattern);
      void send({ op, patterns: part });
    }
  }

  async function send(frame: SubscriptionFrame): Promise<void> {
    unanswered++;
    try {
      const answer = (await ask(frame)) as OkFrame;
      if (frame.since) positions.settled(false);
      else if (frame.patterns.length >= patternsPerFrame) isProbing = false;
      for (const denial of answer.denied ?? []) if (isDenial(denial)) deny(denial);
    } catch (error) {
      refused(frame, error as LoopClientError);
    }
    unanswered--;
    goOn();
  }

  function deny(denial: DeniedPattern, isFailure = false): void {
    const { code, pattern } = denial;
    // After a failure the server may hold it or not: it stays told, to be unsubscribed if it is left.
    if (isFailure) failed.add(pattern);
    else if (told.delete(pattern)) denied.add(pattern);
    if (code !== 'not_open') report(new LoopClientError(code, denial.message, { pattern }));
  }

  /** The whole frame was refused or failed. */
  function refused({ patterns, since }: SubscriptionFrame, error: LoopClientError): void {
    const { code, message } = error;
    const isOpen = loop.state === 'open';
    const isFailure = !isOpen || FAILURES.includes(code);
    if (since) positions.settled(isFailure);
    // The next connection asks for everything.
    if (!isOpen) return;
    if (code === 'too_many_subscriptions' && patterns.length > 1) {
      for (const pattern of patterns) told.delete(pattern);
      patternsPerFrame = Math.min(patternsPerFrame, Math.floor(patterns.length / 2));
      isProbing = true;
    } else for (const pattern of patterns) deny({ pattern, code, message }, isFailure);
    if (isFailure) askAgainSoon();
    else if (since) report(error);
  }

  /** Asking twice is harmless. */
  function askAgainSoon(): void {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        for (const pattern of failed) told.delete(pattern);
        failed.clear();
        goOn();
      },
      fullJitterMs(attempt++, AGAIN_BACKOFF),
    );
  }

  /** Sends what has waited for an answer; after the last one asks for what was missed, and tells whoever waits. */
  function goOn(): void {
    flush();
    if (loop.state !== 'open' || unanswered > 0 || timer) return;
    // Without a handler there is nobody to replay to, so far.
    const [wanted] = handlers.keys();
    const since = wanted === undefined ? undefined : positions.since();
    if (since) return void send({ op: 'subscribe', patterns: [], since });
    attempt = 0;
    for (const { resolve } of waiters) resolve(loop.welcome!);
    waiters.clear();
  }

  function retry(): void {
    denied.clear();
    flush();
  }

  return {
    change(pattern) {
      denied.delete(pattern);
      queueMicrotask(() => {
        positions.leave(serviceTopic(pattern));
        flush();
      });
    },
    open({ subscriptions, maxPayload }) {
      givenByServer = new Set(subscriptions);
      const fitting = Math.max(1, Math.floor(maxPayload / PATTERN_BYTES));
      patternsPerFrame = Math.min(fitting, MAX_PATTERNS_PER_FRAME);
      retry();
      goOn();
    },
    close() {
      isProbing = false;
      clearTimeout(timer);
      timer = undefined;
      told.clear();
      failed.clear();
      if (loop.state !== 'closed') return;
      for (const { reject } of waiters) reject(clientError('closed'));
      waiters.clear();
    },
    refresh(removed = []) {
      // First, while the removed ones still count as told: the new credentials have just been asked about them.
      retry();
      for (const pattern of removed) {
        // Once it is subscribed again, that is our doing and ours to end.
        givenByServer.delete(pattern);
        if (!told.has(pattern)) continue;
        const message = `The new credentials do not allow "${pattern}".`;
        if (handlers.has(pattern)) deny({ pattern, code: 'forbidden', message });
        told.delete(pattern);
      }
    },
    flush,
    goOn,
    cover: (topic) =>
      !topic.startsWith('service:') ||
      [...handlers.keys(), ...givenByServer].some((pattern) =>
        [topic, 'service:*'].includes(serviceTopic(pattern)),
      ),
    ready: () =>
      new Promise((resolve, reject) => {
        if (loop.state === 'closed') return reject(clientError('closed'));
        waiters.add({ resolve, reject });
        goOn();
      }),
  };
}

/** The codec checks that the list is one, not what is in it. */
function isDenial(value: Partial<DeniedPattern> | null): value is DeniedPattern {
  return [value?.pattern, value?.code, value?.message].every((text) => typeof text === 'string');
}
