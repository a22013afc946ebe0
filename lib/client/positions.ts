import type { EventFrame, OkFrame, WelcomeFrame } from '../protocol/frames.js';
import { clientError, messageOf, type LoopClientError } from './client-errors.js';
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
  readonly wantLatest: (topic: string) => void;
  readonly connected: (welcome: WelcomeFrame) => void;
  /** What to ask the server for: after a reconnect everything, later only what is new. */
  readonly since: () => Texts | undefined;
  /** The server answered a `since`, or decided against it. */
  readonly resumed: (since: Texts, answer?: OkFrame) => void;
  /** The answer to a `since` was lost: that is asked for again. */
  readonly failed: () => void;
  /** From where on topics come that are new here. Where the client has been already, it goes on from there. */
  readonly learned: (positions: Texts | undefined) => void;
  /** Everything up to these positions that matched has come, as far as the client does not lag behind. */
  readonly reached: (positions: Texts) => void;
  /** Hands over an event, unless it has been here before. */
  readonly pass: (event: EventFrame, handOver: () => void) => void;
  readonly reset: (topics: Texts | undefined) => void;
}

export function createPositions(
  settings: Pick<ClientSettings, 'storage' | 'storageKey'>,
  lost: (reset: LoopReset) => void,
  report: (error: LoopClientError) => void,
): Positions {
  const { storageKey } = settings;
  let { storage } = settings;
  let accountId: string | undefined;
  let known = new Map<string, string>();
  /** Topics whose last event was asked for or will be. It may well lie before where the client begins. */
  const latest = new Set<string>();
  /** Whether what was missed is still to come: then the server is ahead of what came. */
  let isDue = false;
  let timer: Timer | undefined;

  safely(() => {
    const text = storage?.getItem(storageKey);
    if (!text) return;
    const [ofAccount, positions] = JSON.parse(text) as [string, [string, string][]];
    [accountId, known] = [ofAccount, new Map(positions)];
  });

  /** A storage that fails is told of once; the client goes on without it. */
  function safely(work: () => void): void {
    try {
      work();
    } catch (cause) {
      storage = undefined;
      report(
        clientError(
          'storage_failed',
          `The positions could not be kept in the storage: ${messageOf(cause)}`,
          { cause },
        ),
      );
    }
  }

  /** Saves once for all changes of a turn, and after the handlers of what changed them. */
  function keep(positions: Texts, isWanted: (topic: string, position: string) => boolean): void {
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
  function isNew(topic: string, position: string): boolean {
    const number = (text = '0'): number => Number.parseInt(text, 36);
    return isUnknown(topic) || latest.has(topic) || number(position) > number(known.get(topic));
  }

  function learned(positions: Texts = {}): void {
    keep(positions, isUnknown);
  }

  function reset(topics: Texts = {}): void {
    keep(topics, () => true);
    for (const topic of Object.keys(topics)) lost({ topic });
  }

  return {
    any: () => known.size > 0,
    wantLatest(topic) {
      if (!known.has(topic)) latest.add(topic);
    },
    connected(welcome) {
      isDue = known.size > 0; // before the welcome adds positions: those need not be asked for
      // Another account's positions mean nothing.
      if (welcome.accountId !== accountId) known.clear();
      accountId = welcome.accountId;
      learned(welcome.positions);
    },
    since() {
      if (!isDue && latest.size === 0) return undefined;
      const last = [...latest].map((topic) => [topic, 'latest'] as const);
      return Object.fromEntries([...(isDue ? known : []), ...last]);
    },
    resumed(since, answer) {
      isDue = false;
      for (const topic of Object.keys(since)) latest.delete(topic);
      if (answer === undefined) return;
      const { resumed = {}, reset: restarted = {} } = answer;
      reset(restarted);
      for (const topic of Object.keys(since)) {
        if (topic in resumed || topic in restarted) continue;
        // It is not the client's any more.
        if (known.delete(topic)) lost({ topic });
      }
    },
    failed() {
      isDue = true;
      for (const topic of latest) if (known.has(topic)) latest.delete(topic);
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
