import { accountTopicOf, eventsOf, type SeenEvent } from './diaries.js';
import { finding } from './findings.js';
import type { PublishedBook } from './published-book.js';
import type { ClientDiary, Finding, PublishedEvent } from './records.js';

/** Events that were not published so: for this client, on this topic and at this place. */
export function findUnexplained(
  diary: ClientDiary,
  book: PublishedBook,
  isFor: (event: PublishedEvent) => boolean,
): Finding[] {
  return eventsOf(diary).flatMap(([event, index]) => {
    const published = book.find(event);
    const why =
      published === undefined
        ? 'nobody has published it'
        : (whyNotFor(diary, published, isFor) ?? whyNotThere(diary, event, index, book, published));
    return why === undefined ? [] : [finding('unexplained', diary, event, index, why)];
  });
}

/** Events without history that came when their time was over. */
export function findLate(
  diary: ClientDiary,
  book: PublishedBook,
  graceMs: number | ((seenAt: number) => number),
): Finding[] {
  return eventsOf(diary).flatMap(([event, index]) => {
    const { at, ttlMs = Infinity } = book.find(event) ?? {};
    const { at: seenAt = NaN } = event;
    const afterMs = seenAt - (at ?? NaN);
    if (!(afterMs > ttlMs)) return [];
    const allowedMs = typeof graceMs === 'function' ? graceMs(seenAt) : graceMs;
    if (afterMs <= ttlMs + allowedMs) return [];
    return [finding('late', diary, event, index, `${afterMs} ms after its push, of ${ttlMs}`)];
  });
}

function whyNotFor(
  diary: ClientDiary,
  published: PublishedEvent,
  isFor: (event: PublishedEvent) => boolean,
): string | undefined {
  const { topic } = published;
  if (topic.startsWith('account:') && topic !== accountTopicOf(diary)) return `it is for ${topic}`;
  return isFor(published) ? undefined : 'it is not for this client';
}

function whyNotThere(
  { sightings }: ClientDiary,
  seen: SeenEvent,
  index: number,
  book: PublishedBook,
  { durable, topic, position }: PublishedEvent,
): string | undefined {
  if (!durable) return seen.position === undefined ? undefined : 'it has no history';
  if (seen.position === undefined) return 'it came without its place';
  if (seen.topic !== topic) return `it was pushed on ${topic}`;
  if (book.placeOf(seen) === undefined) return `its place is ${position ?? 'another one'}`;
  // Of a push that was repeated: the first place was lost with the history, and that has to be told.
  const isTakenBack = sightings
    .slice(index)
    .some((one) => one.kind === 'reset' && one.topic === topic);
  if (position === undefined || position === seen.position || isTakenBack) return undefined;
  return `its place is ${position}, and no reset came in between`;
}
