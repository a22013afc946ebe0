import type { EventFrame, WelcomeFrame } from '../protocol/frames.js';
import { LATEST, MAX_TOPICS } from '../protocol/since.js';
import { failure, type LoopClientError } from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import type { Timer } from './timer.js';

type Texts = Readonly<Record<string, string>>;

/** What is kept of a client while its page is away: `sessionStorage` and `localStorage` fit. */
export interface LoopStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): unknown;
}

/** Something of a topic is lost and cannot be had any more: what the application shows of it has to be loaded anew. */
export interface LoopReset {
  /** `account`, `room:lobby` or `service:chat`. */
  readonly topic: string;
}

/** Somebody begins with the last event of a topic. */
export interface Latest {
  readonly topic: string;
  /** Whether it is still to come. */
  is?: 'wanted' | 'asked' | undefined;
}

/** Where this client is in the history of each of its topics, kept over the life of a page if there is a storage. */
export interface Positions {
  /** Whether there is something to go on from. */
  readonly any: () => boolean;
  /** Everybody who begins with the last event of a topic. */
  readonly latest: Set<Latest>;
  readonly open: (welcome: WelcomeFrame) => void;
  /** What to ask the server for: after a reconnect where the client was, then the last events that are wanted. */
  readonly since: () => Texts | undefined;
  /**
   * The server has decided what to replay: of the topics in `reset` something is lost, and so it is of those that were to be
   * asked for and are not in `resumed`. Call it before the next frame is handled, which comes after that.
   */
  readonly decided: (reset?: Texts, resumed?: Readonly<Record<string, number>>) => void;
  /** A `since` is over. After a failure the next one asks for the same; else what is not decided is lost. */
  readonly settled: (isFailure: boolean) => void;
  /** Everything up to these positions that matched has come, unless what was missed is still to come. */
  readonly reached: (positions: Texts | undefined) => void;
  /** Hands over an event; one that has been here before is for those alone who begin with it. */
  readonly pass: (event: EventFrame, handOver: (isNew: boolean) => void) => void;
  /** Forgets where the client was, if nothing of the topic is wanted any more. */
  readonly leave: (topic: string) => void;
}

/** The topic of the events that a pattern gets by the channel of its service. */
export function serviceTopic(pattern: string): string {
  return `service:${pattern.split(':')[0]}`;
}

/** `isOwn` knows whether something of a topic is wanted. */
export function createPositions(
  { storage, storageKey }: Pick<ClientSettings, 'storage' | 'storageKey'>,
  isOwn: (topic: string) => boolean,
  lost: (reset: LoopReset) => void,
  report: (error: LoopClientError) => void,
): Positions {
  const latest = new Set<Latest>();
  let accountId: string | undefined;
  /** Where this connection is in its topics. The one that moved last comes last. */
  let known = new Map<string, string>();
  /** Where the client was before it, until the server has decided what it missed. */
  let behind: Map<string, string> | undefined;
  /** Whether the server was asked on this connection. What it sends of those topics before that is out of turn. */
  let isAsked = false;
  let timer: Timer | undefined;
  let hasFailed = false;

  /** A storage that fails is told of once, and not within `connect`: nobody can listen there. */
  const safely = (work: () => unknown): Promise<unknown> =>
    Promise.resolve()
      .then(work)
      .catch((cause: unknown) => {
        if (!hasFailed) setTimeout(() => report(failure('storage_failed', cause)));
        hasFailed = true;
      });

  void safely(() => {
    const text = storage?.getItem(storageKey);
    if (!text) return;
    const [ofAccount, positions] = JSON.parse(text) as [string, [string, string][]];
    const stored = new Map(positions);
    if (![...stored].flat().every((part) => typeof part === 'string')) throw new Error('no texts');
    known = stored;
    accountId = ofAccount;
  });

  /** What the next connection goes on from. */
  const places = (): Map<string, string> => new Map([...known, ...(behind ?? [])]);

  /** Once for all changes of a turn, and after the handlers of what changed them. */
  function save(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void safely(() => storage?.setItem(storageKey, JSON.stringify([accountId, [...places()]])));
    });
  }

  function keep(topic: string, position: string): void {
    known.delete(topic);
    known.set(topic, position);
    save();
  }

  function reached(positions: Texts = {}): void {
    for (const topic in positions) {
      const position = positions[topic]!;
      if (isAbove(position, known.get(topic))) keep(topic, position);
    }
  }

  function lose(topic: string): void {
    for (const one of latest) if (one.topic === topic) one.is = 'wanted';
    lost({ topic });
  }

  function decided(reset?: Texts, resumed?: Readonly<Record<string, number>>): void {
    const asked = behind;
    behind = undefined;
    for (const topic in reset) {
      keep(topic, reset[topic]!);
      lose(topic);
    }
    for (const [topic, position] of asked ?? []) {
      if (resumed?.[topic] !== undefined) reached({ [topic]: position });
      else if (!reset?.[topic] && isOwn(topic)) lose(topic);
    }
  }

  return {
    any: () => places().size > 0,
    latest,
    open(welcome) {
      behind = places();
      known.clear();
      // The address has told the server.
      if (behind.size === 0) behind = undefined;
      // Another account's positions mean nothing.
      if (welcome.accountId !== accountId) behind?.clear();
      accountId = welcome.accountId;
      isAsked = false;
      reached(welcome.positions);
    },
    since() {
      if (behind) {
        isAsked = true;
        const own = [...behind].filter(([topic]) => isOwn(topic));
        return Object.fromEntries(own.slice(-MAX_TOPICS));
      }
      let since: Texts | undefined;
      for (const one of latest) {
        if (one.is !== 'wanted') continue;
        one.is = 'asked';
        since = { ...since, [one.topic]: LATEST };
      }
      return since;
    },
    decided,
    settled(isFailure) {
      for (const one of latest) if (one.is === 'asked') one.is = isFailure ? 'wanted' : undefined;
      if (isFailure || !behind) return;
      const isEmpty = behind.size === 0;
      decided();
      // The server that refused goes on waiting, unless it is asked for nothing at all.
      if (!isEmpty) behind = new Map();
    },
    reached,
    pass({ topic, pos }, handOver) {
      if (topic === undefined || pos === undefined) return handOver(true);
      const from = behind?.get(topic);
      if (from && !isAsked) return;
      const isNew = isAbove(pos, from ?? known.get(topic));
      handOver(isNew);
      for (const one of latest) if (one.topic === topic) one.is = undefined;
      if (!isNew) return;
      // Only now: a client that has not seen it gets it again.
      if (from) behind?.set(topic, pos);
      reached({ [topic]: pos });
    },
    leave(topic) {
      if (isOwn(topic)) return;
      known.delete(topic);
      behind?.delete(topic);
      save();
    },
  };
}

/** Positions begin with a number, in base 36, that only grows. */
function isAbove(position: string, other = ''): boolean {
  return !(parseInt(position, 36) <= parseInt(other, 36));
}
