import type { OkFrame, TopicPositions, WelcomeFrame } from '../protocol/frames.js';
import { type Backoff, fullJitterMs } from '../protocol/full-jitter.js';
import type { Ask } from './calls.js';
import { clientError, isTemporary, LoopClientError } from './client-errors.js';
import { serviceTopic, type Positions } from './positions.js';
import type { LoopStatus } from './loop-state.js';
import { after, type Timer } from './timer.js';

/** Keeps what the server has subscribed equal to what the application wants, with one frame per tick. */
export interface Subscriptions {
  /** Call it when a pattern became wanted or unwanted. */
  readonly change: (pattern: string) => void;
  readonly open: (welcome: WelcomeFrame) => void;
  readonly close: () => void;
  /**
   * Call it when the server accepted new credentials: requests denied patterns again, and notes which were `removed`.
   */
  readonly refresh: (removed?: readonly string[]) => void;
  /** Sends the server what has changed. */
  readonly flush: () => void;
  /** Does the same, and once everything is answered asks for what was missed. */
  readonly step: () => void;
  /** Whether a pattern gets events of the topic; every topic of an account or a room counts. */
  readonly cover: (topic: string) => boolean;
  /** Resolves when the server has granted or denied everything that is wanted. */
  readonly ready: () => Promise<WelcomeFrame>;
}

/** Why a pattern is not subscribed. */
type Reason = Pick<LoopClientError, 'code' | 'message'>;

interface SubscriptionFrame {
  readonly op: 'subscribe' | 'unsubscribe';
  readonly patterns: readonly string[];
  readonly since?: TopicPositions;
}

/** What we assume that the server has done with a pattern. */
type Standing =
  /** Requested and not refused: the server holds the pattern, or may hold it. */
  | 'told'
  /** The request failed or could not be decided: the server may or may not hold the pattern. */
  | 'failed'
  /** Denied: requested again with other credentials or on the next connection. */
  | 'denied';

/** Used when the welcome has no `maxPatterns`: half of what a server lets a connection hold by default. */
const DEFAULT_PATTERNS_PER_FRAME = 100;

export function createSubscriptions(
  loop: Readonly<LoopStatus>,
  backoff: Backoff,
  handlers: Pick<ReadonlyMap<string, unknown>, 'has' | 'keys'>,
  positions: Pick<Positions, 'since' | 'settled' | 'leave'>,
  ask: Ask,
  report: (error: LoopClientError) => void,
): Subscriptions {
  const standing = new Map<string, Standing>();
  /** Callers that wait until everything is answered. */
  const waiters: (() => void)[] = [];
  let givenByServer = new Set<string>();
  let unanswered = 0;
  let timer: Timer | undefined;
  let attempt = 0;

  /** Unsubscribes first, because a connection may hold only so many patterns. */
  function flush(): void {
    if (loop.state !== 'open') return;
    // A pattern that the server subscribed by itself is left to the server.
    const isLeft = (p: string): boolean => !handlers.has(p) && !givenByServer.has(p);
    tell('unsubscribe', [...standing.keys()].filter(isLeft));
    tell(
      'subscribe',
      [...handlers.keys()].filter((p) => !standing.has(p)),
    );
  }

  function tell(op: 'subscribe' | 'unsubscribe', patterns: string[]): void {
    const { maxPatterns = 0 } = loop.welcome!;
    while (patterns.length > 0) {
      const part = patterns.splice(0, maxPatterns >= 1 ? maxPatterns : DEFAULT_PATTERNS_PER_FRAME);
      for (const pattern of part) {
        if (op === 'subscribe') standing.set(pattern, 'told');
        else standing.delete(pattern);
      }
      void send({ op, patterns: part });
    }
  }

  async function send(frame: SubscriptionFrame): Promise<void> {
    unanswered++;
    try {
      const { denied = [] } = (await ask(frame)) as OkFrame;
      if (frame.since) positions.settled(false);
      for (const denial of denied) if (denial?.pattern) deny(denial.pattern, denial);
    } catch (error) {
      refused(frame, error as LoopClientError);
    }
    unanswered--;
    step();
  }

  function deny(pattern: string, { code, message }: Reason): void {
    const isFailure = isTemporary(code);
    // The pattern may have been unsubscribed meanwhile.
    if (standing.has(pattern)) standing.set(pattern, isFailure ? 'failed' : 'denied');
    if (isFailure) askAgainSoon();
    if (code !== 'not_open') report(new LoopClientError(code, message, { pattern }));
  }

  /** The whole frame was refused or failed. */
  function refused({ patterns, since }: SubscriptionFrame, error: LoopClientError): void {
    const isFailure = isTemporary(error.code);
    if (since) positions.settled(isFailure);
    // The next connection requests everything again.
    if (loop.state !== 'open') return;
    for (const pattern of patterns) deny(pattern, error);
    if (isFailure) askAgainSoon();
    else if (since) report(error);
  }

  /** Requesting a pattern twice is harmless. */
  function askAgainSoon(): void {
    timer ??= after(fullJitterMs(attempt++, backoff), () => {
      timer = undefined;
      forget('failed');
      step();
    });
  }

  /** Forgets the patterns with this standing, so that the next {@link flush} requests them again. */
  function forget(what: Standing): void {
    for (const [pattern, its] of standing) if (its === what) standing.delete(pattern);
  }

  /**
   * Sends what has changed. After the last answer it asks for what was missed, and then resolves the waiters. They are
   * also resolved when the client is closed.
   */
  function step(): void {
    flush();
    if (loop.state !== 'closed') {
      if (loop.state !== 'open' || unanswered > 0 || timer) return;
      // Without a handler there is nobody to replay to yet.
      const [wanted] = handlers.keys();
      const since = wanted === undefined ? undefined : positions.since();
      if (since) return void send({ op: 'subscribe', patterns: [], since });
      attempt = 0;
    }
    for (const resolve of waiters.splice(0)) resolve();
  }

  return {
    change(pattern) {
      if (standing.get(pattern) === 'denied') standing.delete(pattern);
      queueMicrotask(() => {
        positions.leave(serviceTopic(pattern));
        flush();
      });
    },
    open({ subscriptions }) {
      givenByServer = new Set(subscriptions);
      step();
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
      standing.clear();
      step();
    },
    refresh(removed = []) {
      // Flush first, while the removed patterns still count as told: they have just been checked for the new
      // credentials.
      forget('denied');
      flush();
      for (const pattern of removed) {
        // If the client subscribes to it again, it is the client's to unsubscribe.
        givenByServer.delete(pattern);
        if (handlers.has(pattern)) deny(pattern, clientError('forbidden', pattern));
        else standing.delete(pattern);
      }
    },
    flush,
    step,
    cover: (topic) =>
      !topic.startsWith('service:') ||
      [...handlers.keys(), ...givenByServer].some((pattern) =>
        [topic, 'service:*'].includes(serviceTopic(pattern)),
      ),
    async ready() {
      await new Promise<void>((resolve) => {
        waiters.push(resolve);
        step();
      });
      if (loop.state === 'closed') throw clientError('closed');
      return loop.welcome!;
    },
  };
}
