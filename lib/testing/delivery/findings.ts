import type { SeenEvent } from './diaries.js';
import type { ClientDiary, Finding, FindingKind, Sighting } from './records.js';

/** Names one event at one client, with its place. `why` is said where the kind does not say it all. */
export function finding(
  kind: FindingKind,
  diary: ClientDiary,
  { publisher, number, topic, position }: Omit<SeenEvent, 'kind'>,
  index: number,
  why?: string,
): Finding {
  const before = describe(diary.sightings[index - 1]);
  const here = describe(diary.sightings[index]);
  const what = `${publisher} ${number}${position === undefined ? '' : ` (${position})`}`;
  const where =
    kind === 'lost'
      ? `missing between ${before} and ${here}`
      : `seen as sighting ${index}, after ${before}`;
  const reason = why === undefined ? '' : `: ${why}`;
  const place = `${diary.client}, ${topic ?? 'no topic'}: ${what} ${kind}${reason}, ${where}`;
  return { kind, client: diary.client, topic, publisher, number, position, index, place };
}

function describe(sighting: Sighting | undefined): string {
  if (sighting === undefined) return 'nothing';
  switch (sighting.kind) {
    case 'event':
      return `${sighting.publisher} ${sighting.number}`;
    case 'connected':
      return sighting.resumed ? 'a resumed connection' : 'the first connection';
    case 'current':
      return 'the end of what was missed';
    default:
      return `${sighting.kind} of ${sighting.topic} at ${sighting.position}`;
  }
}
