import { numberOf } from './diaries.js';
import type { PublishedBook } from './published-book.js';
import type { ClientDiary, Sighting } from './records.js';
import type { Placed, TopicPast } from './topic-past.js';

/** Where a client was told that nothing of a topic may be missing from here on. */
interface Mark {
  /** Number of the position. */
  readonly n: number;
  readonly at: number;
}

/** Something that shows how far a client has come. */
interface Step {
  /** It must have everything below this number. */
  readonly below: number;
  readonly index: number;
  /** When that number was given, at the latest. */
  readonly by: number;
}

/** A part of one client's history of one topic in which nothing may be missing. */
export interface Stretch {
  readonly mark: Mark;
  readonly steps: readonly Step[];
}

type OfTopic = Exclude<Sighting, { kind: 'connected' | 'current' }>;

/** The parts of a topic, each behind a mark: a beginning or a reset. */
export function stretchesOf(
  diary: ClientDiary,
  topic: string,
  book: PublishedBook,
  isOwed: boolean,
): Stretch[] {
  const seen = [...diary.sightings.entries()].filter((one): one is [number, OfTopic] =>
    isOf(one[1], topic),
  );
  const first = firstMarkOf(diary, seen, book, isOwed);
  const stretches: { mark: Mark; steps: Step[] }[] =
    first === undefined ? [] : [{ mark: first, steps: [] }];
  for (const [index, sighting] of seen) {
    const n = numberOf(sighting.position ?? '');
    if (sighting.kind === 'began' || sighting.kind === 'reset') {
      stretches.push({ mark: { n, at: sighting.at ?? NaN }, steps: [] });
    } else {
      const below = sighting.kind === 'moved' ? n + 1 : n;
      stretches.at(-1)?.steps.push({ below, index, by: provenAt(sighting, book) });
    }
  }
  return stretches;
}

/**
 * What was said of the topic first, which may come after its first events. A client that was told of no beginning begins with
 * the first event that it saw; if there is none, and it `isOwed` the topic, when it connected.
 */
function firstMarkOf(
  { sightings }: ClientDiary,
  seen: readonly [index: number, sighting: OfTopic][],
  book: PublishedBook,
  isOwed: boolean,
): Mark | undefined {
  const [, one] = seen.find(([, { kind }]) => kind === 'began') ?? seen[0] ?? [];
  if (one !== undefined) {
    const n = numberOf(one.position ?? '');
    const isTold = one.kind === 'began' || one.kind === 'reset';
    return isTold ? { n, at: one.at ?? NaN } : { n: n - 1, at: provenAt(one, book) };
  }
  const connected = sightings.find(({ kind }) => kind === 'connected');
  return isOwed ? { n: Infinity, at: connected?.at ?? NaN } : undefined;
}

/** Whether the client was told by the mark that it does not get the event. */
export function isCovered(placed: Placed, { n, at }: Mark, past: TopicPast): boolean {
  if (!(placed.event.at <= at)) return false; // it says nothing of what was pushed after it
  return placed.n <= n || past.eraAt(placed.by) < past.eraAt(at);
}

/** The first step of the stretch that went past the event. */
export function stepPast(
  placed: Placed,
  { mark, steps }: Stretch,
  past: TopicPast,
): Step | undefined {
  const era = past.eraOf(placed);
  if (era === undefined || isCovered(placed, mark, past)) return undefined;
  return steps.find(({ below, by }) => below > placed.n && past.eraAt(by) === era);
}

function isOf(sighting: Sighting, topic: string): sighting is OfTopic {
  return 'topic' in sighting && sighting.topic === topic;
}

function provenAt(sighting: OfTopic, book: PublishedBook): number {
  const placed = sighting.kind === 'event' ? book.placeOf(sighting) : undefined;
  return placed?.by ?? sighting.at ?? NaN;
}
