import type { WelcomeFrame } from '../protocol/frames.js';

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

const LATEST = 'latest';

/** Where this client is in the history of each of its topics. */
export class Positions {
  readonly #lost: (reset: LoopReset) => void;
  readonly #changed: () => void;
  #latest = new Set<string>();
  /** Topics whose last event is on its way, which may well lie before where the client begins. */
  #awaited = new Set<string>();
  #known = new Map<string, string>();
  #accountId: string | undefined;

  constructor(lost: (reset: LoopReset) => void, changed: () => void) {
    this.#lost = lost;
    this.#changed = changed;
  }

  /** Whether there is something to go on from. */
  get any(): boolean {
    return this.#known.size > 0;
  }

  /** The next `since` asks for the last event of the topic, unless it is known where the client is there. */
  wantLatest(topic: string): void {
    if (!this.#known.has(topic)) this.#latest.add(topic);
  }

  /** What to ask the server for: after a reconnect everything, later only what is new. */
  since(afterReconnect: boolean): Texts {
    const latest = [...this.#latest].map((topic) => [topic, LATEST] as const);
    [this.#awaited, this.#latest] = [this.#latest, new Set()];
    return Object.fromEntries([...(afterReconnect ? this.#known : []), ...latest]);
  }

  /** Another account's positions mean nothing. */
  welcomed({ accountId, positions }: WelcomeFrame): void {
    if (accountId !== this.#accountId) this.#known.clear();
    this.#accountId = accountId;
    this.learned(positions);
  }

  /** From where on topics come that are new here. Where the client has been already, it goes on from there. */
  learned(positions: Texts = {}): void {
    for (const [topic, position] of Object.entries(positions)) {
      if (!this.#known.has(topic)) this.#known.set(topic, position);
    }
    this.#changed();
  }

  /** Everything up to these positions that matched has come. */
  advanced(positions: Texts): void {
    for (const [topic, position] of Object.entries(positions)) {
      if (this.isNew(topic, position)) this.#known.set(topic, position);
    }
    this.#changed();
  }

  /** False for an event that has been here before: positions begin with a number, in base 36, that only grows. */
  isNew(topic: string, position: string): boolean {
    const known = this.#awaited.has(topic) ? undefined : this.#known.get(topic);
    return known === undefined || numberOf(position) > numberOf(known);
  }

  /** The server answered a `since`. What it names in neither list is not the client's any more. */
  resumed(since: Texts, resumed: Readonly<Record<string, number>> = {}, reset: Texts = {}): void {
    this.#awaited.clear();
    this.reset(reset);
    for (const topic of Object.keys(since)) {
      if (topic in resumed || topic in reset) continue;
      if (this.#known.delete(topic)) this.#lost({ topic });
    }
  }

  reset(topics: Texts): void {
    for (const [topic, position] of Object.entries(topics)) this.#known.set(topic, position);
    this.#changed();
    for (const topic of Object.keys(topics)) this.#lost({ topic });
  }

  toText(): string {
    return JSON.stringify([this.#accountId, [...this.#known]]);
  }

  /** Throws for what is no such text. */
  restore(text: string): void {
    const [accountId, known] = JSON.parse(text) as [string, [string, string][]];
    [this.#accountId, this.#known] = [accountId, new Map(known)];
  }
}

function numberOf(position: string): number {
  return Number.parseInt(position, 36);
}
