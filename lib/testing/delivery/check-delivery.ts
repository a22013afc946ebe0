import type {
  ClientDiary,
  Finding,
  FindingKind,
  PublishedEvent,
  Sighting,
  Verdict,
} from './records.js';
import { numberOf, type Segment, segmentsOf } from './segments.js';

type SeenEvent = Extract<Sighting, { kind: 'event' }>;
type Named = Pick<PublishedEvent, 'publisher' | 'number'>;

export interface CheckOptions {
  /** Whether a client had to see an event of a topic that it was told of. Default: every one. */
  readonly isFor?: (diary: ClientDiary, event: PublishedEvent) => boolean;
}

/**
 * Holds what clients saw against what was published. Lost is a durable event that a client had to see, did not see, and was
 * told no reset of; nothing may be seen twice, or behind a later one of its topic, or without having been published.
 *
 * The clients must be quiet: each has seen, or been told, all that was published. Otherwise the last events count as lost.
 */
export function checkDelivery(
  published: readonly PublishedEvent[],
  diaries: readonly ClientDiary[],
  { isFor = () => true }: CheckOptions = {},
): Verdict {
  const book = new PublishedBook(published);
  const findings = diaries.flatMap((diary) => [
    ...findStrangers(diary, book),
    ...findDoubles(diary),
    ...findReordered(diary),
    ...findLost(diary, book, (event) => isFor(diary, event)),
  ]);
  const all = diaries.flatMap(({ sightings }) => sightings);
  return {
    deliveries: all.filter(({ kind }) => kind === 'event').length,
    resumes: all.filter((one) => one.kind === 'connected' && one.resumed).length,
    resets: all.filter(({ kind }) => kind === 'reset').length,
    findings,
  };
}

/** What was published, ready to be looked up. */
class PublishedBook {
  private readonly byName = new Map<string, PublishedEvent>();
  private readonly ofTopic = new Map<string, PublishedEvent[]>();

  constructor(published: readonly PublishedEvent[]) {
    for (const event of published) this.add(event);
  }

  has(event: Named): boolean {
    return this.byName.has(nameOf(event));
  }

  /** Durable events that surely have a place, in the order of their places. */
  placedOn(topic: string): readonly PublishedEvent[] {
    return this.ofTopic.get(topic) ?? [];
  }

  private add(event: PublishedEvent): void {
    this.byName.set(nameOf(event), event);
    if (!event.durable || event.outcome !== 'sent' || event.position === undefined) return;
    const ofTopic = this.ofTopic.get(event.topic) ?? [];
    this.ofTopic.set(event.topic, ofTopic);
    ofTopic.push(event);
  }
}

function findStrangers(diary: ClientDiary, book: PublishedBook): Finding[] {
  return eventsOf(diary)
    .filter(([event]) => !book.has(event))
    .map(([event, index]) => finding('unexplained', diary, event, index));
}

function findDoubles(diary: ClientDiary): Finding[] {
  const names = new Set<string>();
  return eventsOf(diary).flatMap(([event, index]) => {
    const name = nameOf(event);
    if (names.has(name)) return [finding('doubled', diary, event, index)];
    names.add(name);
    return [];
  });
}

/** Durable events keep the order of their history, others the order of their publisher. A double is told as one only. */
function findReordered(diary: ClientDiary): Finding[] {
  const findings: Finding[] = [];
  const last = new Map<string, number>();
  const names = new Set<string>();
  for (const [index, sighting] of diary.sightings.entries()) {
    if (sighting.kind === 'reset') last.delete(`topic ${sighting.topic}`);
    if (sighting.kind !== 'event' || names.has(nameOf(sighting))) continue;
    names.add(nameOf(sighting));
    const [line, n] = lineOf(sighting);
    if (n <= (last.get(line) ?? -Infinity)) {
      findings.push(finding('reordered', diary, sighting, index));
    } else last.set(line, n);
  }
  return findings;
}

function lineOf({ topic, position, publisher, number }: SeenEvent): [line: string, n: number] {
  if (position === undefined) return [`publisher ${publisher}`, number];
  return [`topic ${topic ?? ''}`, numberOf(position)];
}

function findLost(
  diary: ClientDiary,
  book: PublishedBook,
  isFor: (event: PublishedEvent) => boolean,
): Finding[] {
  const seen = new Set(eventsOf(diary).map(([event]) => nameOf(event)));
  const topics = new Set(
    diary.sightings.flatMap((one) => (one.kind === 'began' ? [one.topic] : [])),
  );
  return [...topics].flatMap((topic) => {
    const segments = segmentsOf(diary, topic);
    const placed = book.placedOn(topic);
    const twice = numbersGivenTwice([...placed, ...segments.flatMap(positionsSeen)]);
    const missing = placed.filter((event) => !seen.has(nameOf(event)) && isFor(event));
    return missing.flatMap((event) => {
      const gap = segments.find((segment) => isMissingIn(segment, event));
      const isOfLostWrites = twice.has(numberOf(event.position!)) && wasResetSince(diary, event);
      if (gap === undefined || isOfLostWrites) return [];
      const later = gap.seen.find(({ n }) => n > numberOf(event.position!));
      return [finding('lost', diary, event, later?.index ?? gap.end)];
    });
  });
}

const positionsSeen = ({ seen }: Segment): SeenEvent[] => seen.map(({ event }) => event);

/** After a failover that lost writes the numbers of the lost ones are given again. */
function numbersGivenTwice(events: readonly { readonly position?: string }[]): Set<number> {
  const positions = new Map<number, string>();
  const twice = new Set<number>();
  for (const { position } of events) {
    const n = numberOf(position!);
    if ((positions.get(n) ?? position) !== position) twice.add(n);
    positions.set(n, position!);
  }
  return twice;
}

/** What a reset names lies behind the last that was seen before it. */
function isMissingIn({ after, seen, lostUpTo }: Segment, { position }: PublishedEvent): boolean {
  const n = numberOf(position!);
  if (n <= after) return false;
  if (lostUpTo === undefined) return true;
  return n <= (seen.at(-1)?.n ?? after);
}

function wasResetSince({ sightings }: ClientDiary, { topic, at }: PublishedEvent): boolean {
  return sightings.some((one) => one.kind === 'reset' && one.topic === topic && one.at >= at);
}

function eventsOf({ sightings }: ClientDiary): [event: SeenEvent, index: number][] {
  return [...sightings.entries()].flatMap(([index, one]): [SeenEvent, number][] =>
    one.kind === 'event' ? [[one, index]] : [],
  );
}

function finding(
  kind: FindingKind,
  diary: ClientDiary,
  { publisher, number, topic, position }: Omit<SeenEvent, 'kind'>,
  index: number,
): Finding {
  const before = describe(diary.sightings[index - 1]);
  const here = describe(diary.sightings[index]);
  const what = `${publisher} ${number}${position === undefined ? '' : ` (${position})`}`;
  const where =
    kind === 'lost'
      ? `missing between ${before} and ${here}`
      : `seen as sighting ${index}, after ${before}`;
  const place = `${diary.client}, ${topic ?? 'no topic'}: ${what} ${kind}, ${where}`;
  return { kind, client: diary.client, topic, publisher, number, position, index, place };
}

function describe(sighting: Sighting | undefined): string {
  if (sighting === undefined) return 'nothing';
  switch (sighting.kind) {
    case 'event':
      return `${sighting.publisher} ${sighting.number}`;
    case 'connected':
      return sighting.resumed ? 'a resumed connection' : 'the first connection';
    default:
      return `${sighting.kind} of ${sighting.topic} at ${sighting.position}`;
  }
}

function nameOf({ publisher, number }: Named): string {
  return JSON.stringify([publisher, number]);
}
