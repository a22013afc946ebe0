import { eventsOf, nameOf } from './diaries.js';
import { finding } from './findings.js';
import type { PublishedBook } from './published-book.js';
import type { ClientDiary, Finding } from './records.js';
import { mayBePlacedAgain } from './topic-past.js';

/** Events that were seen before. */
export function findDoubles(diary: ClientDiary, book: PublishedBook): Finding[] {
  const seen = new Map<string, number[]>();
  return eventsOf(diary).flatMap(([event, index]) => {
    const name = nameOf(event);
    const earlier = seen.get(name) ?? [];
    seen.set(name, [...earlier, index]);
    if (earlier.length === 0 || isPlacedAnew(diary, earlier, index, book)) return [];
    return [finding('doubled', diary, event, index)];
  });
}

/** A push that was repeated is placed once more where the history was lost in between, of which a reset has to tell. */
function isPlacedAnew(
  { sightings }: ClientDiary,
  earlier: readonly number[],
  index: number,
  book: PublishedBook,
): boolean {
  const event = sightings[index]!;
  if (event.kind !== 'event') return false;
  const published = book.find(event);
  if (published === undefined || !mayBePlacedAgain(published)) return false;
  const wasThere = earlier.some(
    (at) => (sightings[at] as typeof event).position === event.position,
  );
  const since = sightings.slice(earlier.at(-1), index);
  return !wasThere && since.some((one) => one.kind === 'reset' && one.topic === event.topic);
}
