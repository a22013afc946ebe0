import type { ClientDiary, PublishedEvent, Sighting } from './records.js';

export type SeenEvent = Extract<Sighting, { kind: 'event' }>;

/** What names an event, over all of its places and sightings. */
export function nameOf({
  publisher,
  number,
}: Pick<PublishedEvent, 'publisher' | 'number'>): string {
  return JSON.stringify([publisher, number]);
}

/** The number in a position: it grows by one with each push of a topic. */
export function numberOf(position: string): number {
  return Number.parseInt(position, 36);
}

export function eventsOf({ sightings }: ClientDiary): [event: SeenEvent, index: number][] {
  return [...sightings.entries()].flatMap(([index, one]): [SeenEvent, number][] =>
    one.kind === 'event' ? [[one, index]] : [],
  );
}

export function accountTopicOf({ client, accountId }: ClientDiary): string {
  return `account:${accountId ?? client.slice(0, client.lastIndexOf('/'))}`;
}
