import { nameOf, numberOf, type SeenEvent } from './diaries.js';
import { finding } from './findings.js';
import type { PublishedBook } from './published-book.js';
import type { ClientDiary, Finding } from './records.js';

/**
 * Events behind later ones of their topic, or behind what told that they were over: durable ones keep the order of their
 * history, others that of their publisher. A double is told as one only.
 */
export function findReordered(diary: ClientDiary, book: PublishedBook): Finding[] {
  const findings: Finding[] = [];
  const last = new Map<string, number>();
  const seen = new Set<string>();
  for (const [index, sighting] of diary.sightings.entries()) {
    if (sighting.kind === 'connected' || sighting.kind === 'current') continue;
    if (sighting.kind !== 'event') {
      const line = lineOfTopic(sighting.topic);
      const n = numberOf(sighting.position);
      const known = last.get(line) ?? -Infinity;
      last.set(line, sighting.kind === 'reset' ? n : Math.max(n, known));
      continue;
    }
    const sightingAt = `${nameOf(sighting)} ${sighting.position ?? ''}`;
    const place = seen.has(sightingAt) ? undefined : placeInLine(sighting, book);
    seen.add(sightingAt);
    if (place === undefined) continue;
    const [line, n] = place;
    if (n > (last.get(line) ?? -Infinity)) last.set(line, n);
    else findings.push(finding('reordered', diary, sighting, index));
  }
  return findings;
}

const lineOfTopic = (topic = ''): string => `topic ${topic}`;

/** Absent for a durable event without a place, which is told as unexplained. */
function placeInLine(event: SeenEvent, book: PublishedBook): [line: string, n: number] | undefined {
  const { topic, position, publisher, number } = event;
  if (position !== undefined) return [lineOfTopic(topic), numberOf(position)];
  const published = book.find(event);
  if (published?.durable) return undefined;
  return [`publisher ${publisher} on ${published?.topic ?? ''}`, number];
}
