import type { ClientDiary, Sighting } from './records.js';

type SeenEvent = Extract<Sighting, { kind: 'event' }>;

export interface Seen {
  readonly event: SeenEvent;
  readonly index: number;
  /** Number of its position. */
  readonly n: number;
}

/** A stretch of one client's history of one topic in which nothing may be missing. */
export interface Segment {
  /** Number after which it begins. */
  readonly after: number;
  readonly seen: readonly Seen[];
  /** Number up to which a reset names what is missing behind the last that was seen; absent at the end of the diary. */
  readonly lostUpTo?: number;
  /** Index in the diary of what ends it. */
  readonly end: number;
}

/** The number in a position: it grows by one with each push of a topic. */
export function numberOf(position: string): number {
  return Number.parseInt(position, 36);
}

/** The stretches of a topic, between its beginning and its resets. */
export function segmentsOf({ sightings }: ClientDiary, topic: string): Segment[] {
  const segments: Segment[] = [];
  let after: number | undefined;
  let seen: Seen[] = [];
  for (const [index, sighting] of sightings.entries()) {
    if (sighting.kind === 'connected' || sighting.topic !== topic) continue;
    const n = numberOf(sighting.position ?? '');
    if (sighting.kind === 'began') after ??= n;
    if (sighting.kind === 'event') seen.push({ event: sighting, index, n });
    if (sighting.kind !== 'reset') continue;
    segments.push({ after: after ?? n, seen, lostUpTo: n, end: index });
    [after, seen] = [n, []];
  }
  const last = { seen, end: sightings.length };
  return [...segments, { ...last, after: after ?? (seen[0] ? seen[0].n - 1 : Infinity) }];
}
