import { accountTopicOf, eventsOf, nameOf } from './diaries.js';
import { finding } from './findings.js';
import type { PublishedBook } from './published-book.js';
import type { ClientDiary, Finding, PublishedEvent } from './records.js';
import { isCovered, stepPast, stretchesOf } from './stretches.js';
import type { Placed } from './topic-past.js';

/**
 * Durable events that the client had to see and did not: no mark covers them, or the client went past them before one did.
 */
export function findLost(
  diary: ClientDiary,
  book: PublishedBook,
  owed: readonly string[] = [accountTopicOf(diary)],
  hadToSee: (event: PublishedEvent) => boolean,
): Finding[] {
  const wasSeen = sightingsOf(diary, book);
  return topicsOf(diary, owed).flatMap((topic) => {
    const past = book.pastOf(topic);
    const stretches = stretchesOf(diary, topic, book, owed.includes(topic));
    return past.placed
      .filter((placed) => !wasSeen(placed) && hadToSee(placed.event))
      .flatMap((placed) => {
        const [step] = stretches.flatMap((stretch) => stepPast(placed, stretch, past) ?? []);
        const isTold = stretches.some(({ mark }) => isCovered(placed, mark, past));
        if (isTold && step === undefined) return [];
        const named = { ...placed.event, position: placed.position };
        return [finding('lost', diary, named, step?.index ?? diary.sightings.length)];
      });
  });
}

function topicsOf(diary: ClientDiary, owed: readonly string[]): string[] {
  if (diary.sightings.length === 0) return [];
  const seen = diary.sightings.flatMap((one) => ('topic' in one ? [one.topic] : []));
  return [...new Set([...owed, ...seen])].filter((topic) => topic !== undefined);
}

/** What was seen at a place where it never was is not lost but misplaced, which is told of the sighting. */
function sightingsOf(diary: ClientDiary, book: PublishedBook): (placed: Placed) => boolean {
  const seen = new Set<string>();
  for (const [event] of eventsOf(diary)) {
    const isPlaced = book.placeOf(event) !== undefined;
    seen.add(isPlaced ? `${nameOf(event)} ${event.position}` : nameOf(event));
  }
  return ({ event, position }) =>
    seen.has(nameOf(event)) || seen.has(`${nameOf(event)} ${position}`);
}
