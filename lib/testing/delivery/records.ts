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
  /** `unknown`: it may have taken place or not. */
  readonly outcome: 'sent' | 'unknown';
  /** When it was called. */
  readonly at: number;
}

/** Something that a client saw. */
export type Sighting =
  | {
      readonly kind: 'event';
      readonly publisher: string;
      readonly number: number;
      /** The name of the published topic; absent for an event without history. */
      readonly topic?: string;
      readonly position?: string;
    }
  /** From here on nothing of the topic may be missing: the client is told of it for the first time. */
  | { readonly kind: 'began'; readonly topic: string; readonly position: string }
  /** The client was told to reload: what it has not seen up to the position is lost. */
  | {
      readonly kind: 'reset';
      readonly topic: string;
      readonly position: string;
      readonly at: number;
    }
  | { readonly kind: 'connected'; readonly resumed: boolean };

/** All that one client saw, in order, over all of its connections. */
export interface ClientDiary {
  readonly client: string;
  readonly sightings: readonly Sighting[];
}

export type FindingKind = 'lost' | 'doubled' | 'reordered' | 'unexplained';

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
  /** In words, with the events beside it. */
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
