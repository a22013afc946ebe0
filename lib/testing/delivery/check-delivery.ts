import { findOutOfCall } from './call-order.js';
import { findDoubles } from './doubles.js';
import { findLate, findUnexplained } from './explanations.js';
import { findLost } from './lost-events.js';
import { PublishedBook } from './published-book.js';
import type { ClientDiary, Finding, PublishedEvent, Verdict } from './records.js';
import { findReordered } from './topic-order.js';

export interface CheckOptions {
  /**
   * Whether an event is for a client: `true` for one that it has to see if it is durable, `false` for one that it must not
   * see, `undefined` for one that it may see. What is on another account is never for it. Default: all others are.
   */
  readonly isFor?: (diary: ClientDiary, event: PublishedEvent) => boolean | undefined;
  /**
   * Topics that a client has from its first connection on, in the words of `PublishedEvent`: it is a loss if it is never told
   * of one of them. Of others it has to see what follows the first that it was told. Default: its account.
   */
  readonly topicsOf?: (diary: ClientDiary) => readonly string[];
  /**
   * Whether an event has to come before what its publisher pushed after it to other targets: clause P1, which holds on one
   * server and on one Redis that is well. Default: every one that was pushed to a connection that was live.
   */
  readonly isInCallOrder?: (event: PublishedEvent) => boolean;
  /**
   * How much later than its `ttlMs` an event may be seen, in milliseconds: its way to the client, and until the client has the
   * time to look. A function is asked with the time at which it was seen. Default 500.
   */
  readonly graceMs?: number | ((seenAt: number) => number);
}

const GRACE_MS = 500;

/**
 * Holds what clients saw against what was published. Nothing durable may be missing that no reset tells of; nothing may be
 * seen twice, behind what comes after it, after its time, or without having been published so.
 *
 * The clients must be quiet: each has seen, or been told, all that was published. Otherwise the last events count as lost.
 * Publishers and clients must share one clock.
 */
export function checkDelivery(
  published: readonly PublishedEvent[],
  diaries: readonly ClientDiary[],
  options: CheckOptions = {},
): Verdict {
  const book = new PublishedBook(published, diaries);
  const all = diaries.flatMap(({ sightings }) => sightings);
  return {
    deliveries: all.filter(({ kind }) => kind === 'event').length,
    resumes: all.filter((one) => one.kind === 'connected' && one.resumed).length,
    resets: all.filter(({ kind }) => kind === 'reset').length,
    findings: diaries.flatMap((diary) => findingsOf(diary, book, options)),
  };
}

function findingsOf(
  diary: ClientDiary,
  book: PublishedBook,
  { isFor = () => true, topicsOf, isInCallOrder = () => true, graceMs = GRACE_MS }: CheckOptions,
): Finding[] {
  const reordered = findReordered(diary, book);
  const known = new Set(reordered.map(({ index }) => index));
  return [
    ...findUnexplained(diary, book, (event) => isFor(diary, event) !== false),
    ...findLate(diary, book, graceMs),
    ...findDoubles(diary, book),
    ...reordered,
    ...findOutOfCall(diary, book, isInCallOrder).filter(({ index }) => !known.has(index)),
    ...findLost(diary, book, topicsOf?.(diary), (event) => isFor(diary, event) === true),
  ];
}
