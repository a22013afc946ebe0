import {
  checkDelivery,
  type CheckOptions,
  type ClientDiary,
  type PublishedEvent,
  type Sighting,
} from '../../../lib/testing/index.js';

export const ACCOUNT = 'account:acme';
export const SERVICE = 'service:orders';

/** Of the history of a topic; `life` tells two apart that gave the same number. */
export function positionOf(n: number, life = 'x'): string {
  return `${n.toString(36)}.${life}${n}`;
}

/** The push of that number to the account, at the place of the same number unless it is said otherwise. */
export function pushed(number: number, more: Partial<PublishedEvent> = {}): PublishedEvent {
  const place = { position: positionOf(number), durable: true, outcome: 'sent' } as const;
  return { publisher: 'p', number, topic: ACCOUNT, at: number * 10, ...place, ...more };
}

export function live(number: number, more: Partial<PublishedEvent> = {}): PublishedEvent {
  const { position: _, ...event } = pushed(number);
  return { ...event, durable: false, ...more };
}

/** One of unknown outcome. */
export function unconfirmed(number: number, more: Partial<PublishedEvent> = {}): PublishedEvent {
  const { position: _, ...event } = pushed(number);
  return { ...event, outcome: 'unknown', ...more };
}

/** Seen a millisecond after its push. */
export function saw(
  number: number,
  more: Partial<Extract<Sighting, { kind: 'event' }>> = {},
): Sighting {
  const place = { topic: ACCOUNT, position: positionOf(number) };
  return { kind: 'event', publisher: 'p', number, ...place, at: number * 10 + 1, ...more };
}

export function sawLive(number: number, at = number * 10 + 1): Sighting {
  return { kind: 'event', publisher: 'p', number, at };
}

export function began(n: number, at = 0, topic = ACCOUNT): Sighting {
  return { kind: 'began', topic, position: positionOf(n), at };
}

export function reset(n: number, at: number, life = 'x'): Sighting {
  return { kind: 'reset', topic: ACCOUNT, position: positionOf(n, life), at };
}

export function moved(n: number, at: number): Sighting {
  return { kind: 'moved', topic: ACCOUNT, position: positionOf(n), at };
}

export const connected: Sighting = { kind: 'connected', resumed: false, at: 0 };

/** It has come back, and what it missed is still to come. */
export function back(at: number): Sighting {
  return { kind: 'connected', resumed: true, at };
}

export function current(at: number): Sighting {
  return { kind: 'current', at };
}

export function diaryOf(...sightings: readonly Sighting[]): ClientDiary {
  return { client: 'acme/phone', sightings };
}

export function namedBy(client: string, ...sightings: readonly Sighting[]): ClientDiary {
  return { client, sightings };
}

/** The findings, in short. */
export function check(
  published: readonly PublishedEvent[],
  diaries: ClientDiary | readonly ClientDiary[],
  options?: CheckOptions,
): string[] {
  const all = 'client' in diaries ? [diaries] : diaries;
  const { findings } = checkDelivery(published, all, options);
  return findings.map(({ kind, client, number }) => `${kind} ${client} ${number}`);
}
