import type { EventFrame, OkFrame, WelcomeFrame } from '../protocol/frames.js';
import { failure, type LoopClientError } from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import type { Timer } from './timer.js';

type Texts = Readonly<Record<string, string>>;

/** What is kept of a client while its page is away: `sessionStorage` and `localStorage` fit. */
export interface LoopStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Something of a topic is lost and cannot be had any more: what the application shows of it has to be loaded anew. */
export interface LoopReset {
  /** `account`, `room:lobby` or `service:chat`. */
  readonly topic: string;
}

/** Where this client is in the history of each of its topics, kept over the life of a page if there is a storage. */
export interface Positions {
  /** Whether there is something to go on from. */
  readonly any: () => boolean;
  /** The next `since` asks for the last event of the topic, unless it is known where the client is there. */
  readonly latest: (topic: string) => void;
  readonly open: (welcome: WelcomeFrame) => void;
  /** What to ask the server for: after a reconnect everything, later only what is new. */
  readonly since: () => Texts | undefined;
  /** The server answered a `since`. */
  readonly resumed: (since: Texts, answer: OkFrame) => void;
  /** The server decided against a `since`, or failed: then the next one asks for the same. */
  readonly refused: (isFailure: boolean) => void;
  /** From where on topics come that are new here. Where the client has been already, it goes on from there. */
  readonly learned: (positions: Texts | undefined) => void;
  /** Everything up to these positions that matched has come, as far as the client does not lag behind. */
  readonly reached: (positions: Texts) => void;
  /** Hands over an event, unless it has been here before. */
  readonly pass: (event: EventFrame, handOver: () => void) => void;
  readonly reset: (topics: Texts | undefined) => void;
}

export function createPositions(
  { storage, storageKey }: Pick<ClientSettings, 'storage' | 'storageKey'>,
  lost: (reset: LoopReset) => void,
  report: (error: LoopClientError) => void,
): Positions {
  let accountId: string | undefined;
  let known = new Map<string, string>();
  /** Topics whose last event will be asked for. */
  let wanted = new Set<string>();
  /** Topics whose last event is on its way, which may well lie before where the client begins. */
  let awaited = new Set<string>();
  /** Whether what was missed is still to come: then the server is ahead of what came. */
  let isDue = false;
  let timer: Timer | undefined;

  /** A storage that fails is told of once; the client goes on without it. */
  function safely(work: () => void): void {
    try {
      work();
    } catch (cause) {
      storage = undefined;
      report(failure('storage_failed', 'The storage failed and is not used any more', cause));
    }
  }

  safely(() => {
    const text = storage?.getItem(storageKey);
    if (!text) return;
    const [ofAccount, positions] = JSON.parse(text) as [string, [string, string][]];
    known = new Map(positions);
    accountId = ofAccount;
  });

  /** Saves once for all changes of a turn, and after the handlers of what changed them. */
  function keep(
    positions: Texts = {},
    isWanted: (topic: string, position: string) => boolean,
  ): void {
    for (const [topic, position] of Object.entries(positions)) {
      if (isWanted(topic, position)) known.set(topic, position);
    }
    timer ??= setTimeout(() => {
      timer = undefined;
      safely(() => storage?.setItem(storageKey, JSON.stringify([accountId, [...known]])));
    });
  }

  const isUnknown = (topic: string): boolean => !known.has(topic);

  /** Positions begin with a number, in base 36, that only grows. */
  const isNew = (topic: string, position: string): boolean =>
    isUnknown(topic) ||
    awaited.has(topic) ||
    Number.parseInt(position, 36) > Number.parseInt(known.get(topic)!, 36);

  const learned = (positions?: Texts): void => keep(positions, isUnknown);

  function reset(topics: Texts = {}): void {
    keep(topics, () => true);
    for (const topic in topics) lost({ topic });
  }

  return {
    any: () => known.size > 0,
    latest(topic) {
      if (isUnknown(topic)) wanted.add(topic);
    },
    open(welcome) {
      isDue = known.size > 0; // before the welcome adds positions: those need not be asked for
      // Another account's positions mean nothing.
      if (welcome.accountId !== accountId) known.clear();
      accountId = welcome.accountId;
      learned(welcome.positions);
    },
    since() {
      if (!isDue && wanted.size === 0) return undefined;
      [awaited, wanted] = [wanted, new Set()];
      const latest = [...awaited].map((topic) => [topic, 'latest'] as const);
      return Object.fromEntries([...(isDue ? known : []), ...latest]);
    },
    resumed(since, { resumed = {}, reset: restarted = {} }) {
      isDue = false;
      awaited.clear();
      reset(restarted);
      for (const topic in since) {
        // What is in neither is not the client's any more.
        if (!(topic in resumed || topic in restarted) && known.delete(topic)) lost({ topic });
      }
    },
    refused(isFailure) {
      isDue &&= isFailure;
      // The last event may have come: then it is known where the client is.
      if (isFailure) for (const topic of awaited) if (isUnknown(topic)) wanted.add(topic);
      awaited.clear();
    },
    learned,
    reached: (positions) => keep(positions, isDue ? isUnknown : isNew),
    pass({ topic, pos }, handOver) {
      if (topic === undefined || pos === undefined) return handOver();
      if (!isNew(topic, pos)) return;
      handOver();
      // Only now: a client that has not seen it gets it again.
      keep({ [topic]: pos }, isNew);
    },
    reset,
  };
}
