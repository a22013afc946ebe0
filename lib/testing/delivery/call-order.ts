import { nameOf, type SeenEvent } from './diaries.js';
import { finding } from './findings.js';
import type { PublishedBook } from './published-book.js';
import type { ClientDiary, Finding, PublishedEvent, Sighting } from './records.js';
import { mayBePlacedAgain } from './topic-past.js';

/**
 * Events that a connection got behind later ones of their publisher, whatever their targets. Held to it are those that were
 * live: what was missed comes topic by topic, and meanwhile other events go on.
 */
export function findOutOfCall(
  diary: ClientDiary,
  book: PublishedBook,
  isHeld: (event: PublishedEvent) => boolean,
): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const last = new Map<string, number>();
  let liveFrom = Infinity;
  for (const [index, sighting] of diary.sightings.entries()) {
    if (sighting.kind === 'connected') last.clear();
    liveFrom = liveSince(sighting) ?? liveFrom;
    if (sighting.kind !== 'event' || seen.has(nameOf(sighting))) continue;
    seen.add(nameOf(sighting));
    const { publisher, number } = sighting;
    const latest = last.get(publisher) ?? -Infinity;
    last.set(publisher, Math.max(number, latest));
    const isBehind = number < latest && isLive(sighting, liveFrom, book, isHeld);
    if (isBehind) findings.push(finding('reordered', diary, sighting, index, 'called before'));
  }
  return findings;
}

function liveSince(sighting: Sighting): number | undefined {
  if (sighting.kind === 'current') return sighting.at;
  if (sighting.kind !== 'connected') return undefined;
  const { resumed, isCurrent = !resumed } = sighting;
  return isCurrent ? -Infinity : Infinity;
}

/** One of unknown outcome, or that was repeated, may have taken place any time after its call. */
function isLive(
  seen: SeenEvent,
  liveFrom: number,
  book: PublishedBook,
  isHeld: (event: PublishedEvent) => boolean,
): boolean {
  const event = book.find(seen);
  if (event === undefined || event.outcome === 'unknown' || mayBePlacedAgain(event)) return false;
  return event.at > liveFrom && isHeld(event);
}
