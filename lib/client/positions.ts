import type { EventFrame, TopicPositions, WelcomeFrame } from '../protocol/frames.js';
import { LATEST, MAX_TOPICS } from '../protocol/since.js';
import { failure, type LoopClientError } from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import type { Timer } from './timer.js';

/** Events of a topic are lost and cannot be recovered: the application has to reload what it shows from it. */
export interface LoopReset {
  /** `account`, `room:lobby` or `service:chat`. */
  readonly topic: string;
}

/** A handler that begins with the last event of a topic. */
export interface Latest {
  readonly topic: string;
  /** Whether that event is still to come; `undefined` when it is not. */
  is?: 'wanted' | 'asked' | undefined;
}

/** The client's position in the history of each of its topics, kept beyond the life of a page if there is a storage. */
export interface Positions {
  /** Whether there is a position to resume from. */
  readonly any: () => boolean;
  /** The handlers that begin with the last event of a topic. */
  readonly latest: Set<Latest>;
  readonly open: (welcome: WelcomeFrame) => void;
  /**
   * What to ask the server for: after a reconnect the positions to resume from, then the last events that are wanted.
   */
  readonly since: () => TopicPositions | undefined;
  /**
   * Call it when the server has decided what to replay, before the next frame is handled. Topics in `reset` have lost
   * events, and so have those that were to be resumed and are not in `resumed`.
   */
  readonly decided: (reset?: TopicPositions, resumed?: Readonly<Record<string, number>>) => void;
  /**
   * Call it when a `since` is over. After a failure the next one asks for the same; else the topics that were not
   * decided are lost.
   */
  readonly settled: (isFailure: boolean) => void;
  /**
   * Call it when everything that matches has arrived up to these positions, except for what is still to be replayed.
   */
  readonly reached: (positions: TopicPositions | undefined) => void;
  /** Hands over an event. One that has arrived before is only for handlers that begin with it. */
  readonly pass: (event: EventFrame, handOver: (isNew: boolean) => void) => void;
  /** Forgets the client's position if nothing of the topic is wanted any more. */
  readonly leave: (topic: string) => void;
}

/** The topic of the events that a pattern gets through the channel of its service. */
export function serviceTopic(pattern: string): string {
  return `service:${pattern.split(':')[0]}`;
}

/** `isOwn` returns whether anything of a topic is wanted. */
export function createPositions(
  { storage, storageKey }: Pick<ClientSettings, 'storage' | 'storageKey'>,
  isOwn: (topic: string) => boolean,
  lost: (reset: LoopReset) => void,
  report: (error: LoopClientError) => void,
): Positions {
  const latest = new Set<Latest>();
  let accountId: string | undefined;
  /** The positions of this connection by topic. The one that moved last comes last. */
  let known = new Map<string, string>();
  /** The positions from before this connection, until the server has decided what was missed. */
  let behind: Map<string, string> | undefined;
  /**
   * Whether the server was asked to resume on this connection. Events of those topics that come before are out of
   * order.
   */
  let isAsked = false;
  let timer: Timer | undefined;
  let hasFailed = false;

  /** A storage that fails is reported once, and not within `connect`, where nobody can listen yet. */
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
    if (![...stored].flat().every((part) => typeof part === 'string')) throw new Error('bad data');
    known = stored;
    accountId = ofAccount;
  });

  /** The positions that the next connection resumes from. */
  const places = (): Map<string, string> => new Map([...known, ...(behind ?? [])]);

  /** Saves once for all changes of a turn, after the handlers of the events that caused them. */
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

  function reached(positions: TopicPositions = {}): void {
    for (const topic in positions) {
      const position = positions[topic]!;
      if (isAbove(position, known.get(topic))) keep(topic, position);
    }
  }

  function lose(topic: string): void {
    for (const one of latest) if (one.topic === topic) one.is = 'wanted';
    lost({ topic });
  }

  function decided(reset?: TopicPositions, resumed?: Readonly<Record<string, number>>): void {
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
      // There is nothing to resume, which the address has told the server.
      if (behind.size === 0) behind = undefined;
      // The positions of another account mean nothing.
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
      let since: TopicPositions | undefined;
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
      // After a refusal the server still waits, until an empty `since` asks it for nothing.
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
      // Only after the handlers were called: an event that did not reach them is sent again.
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

/** A position begins with a base-36 number that only grows. */
function isAbove(position: string, other = ''): boolean {
  return !(parseInt(position, 36) <= parseInt(other, 36));
}
