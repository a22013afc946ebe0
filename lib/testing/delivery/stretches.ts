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

/**
 * The parts of a topic, each behind a mark: a beginning or a reset. A client that was told of no beginning
 * begins when it connected if it `isOwed` the topic, else with the first event that it saw.
 */
export function stretchesOf(
  diary: ClientDiary,
  topic: string,
  book: PublishedBook,
  isOwed: boolean,
): Stretch[] {
  const stretches: { mark: Mark; steps: Step[] }[] = [];
  const begin = (n: number, at: number): void =>
    void stretches.push({ mark: { n, at }, steps: [] });
  const sightings = [...diary.sightings.entries()];
  const isTold = sightings.some(([, one]) => one.kind === 'began' && one.topic === topic);
  if (isOwed && !isTold) begin(Infinity, connectedAt(diary)); // whatever was pushed until then
  for (const [index, sighting] of sightings) {
    if (!isOf(sighting, topic)) continue;
    const n = numberOf(sighting.position ?? '');
    if (sighting.kind === 'began' || sighting.kind === 'reset') begin(n, sighting.at ?? NaN);
    else {
      const by = provenAt(sighting, book);
      if (stretches.length === 0) begin(n - 1, by);
      const below = sighting.kind === 'moved' ? n + 1 : n;
      stretches.at(-1)!.steps.push({ below, index, by });
    }
  }
  return stretches;
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

function connectedAt({ sightings }: ClientDiary): number {
  const first = sightings.find(({ kind }) => kind === 'connected');
  return first?.at ?? NaN;
}

function provenAt(sighting: OfTopic, book: PublishedBook): number {
  const placed = sighting.kind === 'event' ? book.placeOf(sighting) : undefined;
  return placed?.by ?? sighting.at ?? NaN;
}
