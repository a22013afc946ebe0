/** One push, as its publisher recorded it. Times are milliseconds since 1970, of the machine that recorded. */
export interface PublishedEvent {
  readonly publisher: string;
  /** Grows by one with each push of the publisher. */
  readonly number: number;
  /** `account:acme`, `room:lobby` or `service:chat`. */
  readonly topic: string;
  readonly durable: boolean;
  /** Place in the history; absent when it has none, or when nobody told. */
  readonly position?: string;
  /** `unknown`: it may have taken place or not. Where a client saw it, it has. */
  readonly outcome: 'sent' | 'unknown';
  /** When it was called. */
  readonly at: number;
  /** When its position was told. Default: when it was called. */
  readonly confirmedAt?: number;
  /** How often it was pushed, under one `id`. A history that was lost forgets the `id`, and places it again. Default 1. */
  readonly attempts?: number;
  /** How long after its call an event without history may be seen, in milliseconds. Absent: for ever. */
  readonly ttlMs?: number;
}

/**
 * Something that a client saw. Times are milliseconds since 1970, by the clock of the publishers. A sighting without a time
 * is not late, and excuses nothing that is missing.
 */
export type Sighting =
  | {
      readonly kind: 'event';
      readonly publisher: string;
      readonly number: number;
      /** The name of the published topic; absent for an event without history. */
      readonly topic?: string;
      readonly position?: string;
      readonly at?: number;
    }
  /** From here on nothing of the topic may be missing: the client is told of it for the first time. */
  | {
      readonly kind: 'began';
      readonly topic: string;
      readonly position: string;
      readonly at?: number;
    }
  /** The client was told that it has everything up to the position. */
  | {
      readonly kind: 'moved';
      readonly topic: string;
      readonly position: string;
      readonly at?: number;
    }
  /** The client was told to reload: what it has not seen up to the position is lost. */
  | {
      readonly kind: 'reset';
      readonly topic: string;
      readonly position: string;
      readonly at: number;
    }
  | {
      readonly kind: 'connected';
      /** Whether it goes on where another connection had ended. */
      readonly resumed: boolean;
      /** Whether all that comes is live, nothing of before: `current` tells from when on. Default: unless it resumes. */
      readonly isCurrent?: boolean;
      readonly at?: number;
    }
  /** All that was missed has come: what comes from here on, on this connection, is live. */
  | { readonly kind: 'current'; readonly at: number };

/** All that one client saw, in order, over all of its connections. */
export interface ClientDiary {
  readonly client: string;
  /** Default: what is before the last `/` of `client`. */
  readonly accountId?: string;
  readonly sightings: readonly Sighting[];
}

/**
 * `lost`: had to be seen, was not, and no reset tells so. `doubled`: seen before. `reordered`: seen behind what comes after it.
 * `late`: seen after its time. `unexplained`: nobody published it so, for this client and at this place.
 */
export type FindingKind = 'lost' | 'doubled' | 'reordered' | 'late' | 'unexplained';

/** What is wrong with one event at one client. */
export interface Finding {
  readonly kind: FindingKind;
  readonly client: string;
  readonly topic: string | undefined;
  readonly publisher: string;
  readonly number: number;
  readonly position: string | undefined;
  /** Where in the client's diary: the sighting itself, or of one that is missing the first that is later. */
  readonly index: number;
  /** In words, with the reason and the events beside it. */
  readonly place: string;
}

export interface Verdict {
  /** Events that clients saw. */
  readonly deliveries: number;
  /** Connections that went on where another one had ended. */
  readonly resumes: number;
  /** Resets that clients were told of. */
  readonly resets: number;
  readonly findings: readonly Finding[];
}
