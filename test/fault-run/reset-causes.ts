import { numberOf } from '../../lib/testing/delivery/diaries.js';
import type { ClientDiary, Sighting } from '../../lib/testing/index.js';
import { concerns, liesBetween, type Loss } from './losses.js';
import { HISTORY_SIZE } from './scale.js';

type Reset = Extract<Sighting, { kind: 'reset' }>;

export interface ResetCauses {
  /** How many resets each kind of loss has caused. */
  readonly counts: ReadonlyMap<string, number>;
  /** Resets that no loss explains, in words. */
  readonly strange: readonly string[];
  /** Clients that no reset told of a loss that concerned them, and losses that concerned nobody, in words. */
  readonly unreported: readonly string[];
}

/** What one client knew of one topic. */
interface Knowledge {
  /** Where it was first, and last. */
  readonly first: string;
  position: string;
  readonly told: Set<Loss>;
}

/**
 * Why clients were reset. The positions prove it: a reset takes its client from a history that began before a loss to one that
 * began after it. So one loss is told once per client and topic, and whoever is in the new history cannot be told any more. It
 * is otherwise for a trim, which leaves the history and takes more of it than is kept, and for the first of the two steps in
 * which a failover may be told: see {@link wentBack}.
 */
export function causesOfResets(
  diaries: readonly ClientDiary[],
  losses: readonly Loss[],
): ResetCauses {
  const counts = new Map<string, number>();
  const strange: string[] = [];
  const unreported: string[] = [];
  const concerned = new Set<Loss>();
  for (const diary of diaries) {
    const topics = new Map<string, Knowledge>();
    for (const [index, sighting] of diary.sightings.entries()) {
      if (!('position' in sighting) || sighting.position === undefined) continue;
      const { topic = '', position } = sighting;
      const known = topics.get(topic) ?? { first: position, position, told: new Set() };
      topics.set(topic, known);
      if (sighting.kind === 'reset') {
        const causes = causesOf(sighting, known, losses);
        const cause = causes.at(-1);
        if (cause === undefined) strange.push(describe(diary, index, known));
        else counts.set(cause.kind, (counts.get(cause.kind) ?? 0) + 1);
        for (const loss of causes) known.told.add(loss);
      }
      known.position = position;
    }
    for (const [topic, { first, told }] of topics) {
      for (const loss of losses.filter((one) => concerns(one, topic, first))) {
        concerned.add(loss);
        if (!told.has(loss))
          unreported.push(`${diary.client}: not told of ${loss.kind} on ${topic}`);
      }
    }
  }
  const inVain = losses.filter((loss) => !concerned.has(loss));
  return {
    counts,
    strange,
    unreported: [...unreported, ...inVain.map(({ kind }) => `${kind}: hit nobody`)],
  };
}

/** Losses that make the reset true. There may be several: a client may be away for two. */
function causesOf(reset: Reset, known: Knowledge, losses: readonly Loss[]): Loss[] {
  const { position: from, told } = known;
  const others = losses.filter((loss) => loss.at <= reset.at && !told.has(loss));
  const ended = losses.filter((loss) => liesBetween(loss, from, reset.position));
  if (ended.length > 0) return [...others.filter((loss) => isOf(loss, reset)), ...ended];
  return others.filter((loss) => wasTrimmed(loss, reset, from) || wentBack(loss, reset, from));
}

function isOf({ account }: Loss, { topic }: Reset): boolean {
  return topic === `account:${account}`;
}

/** More had come than is kept. */
function wasTrimmed(loss: Loss, reset: Reset, from: string): boolean {
  return isOf(loss, reset) && numberOf(reset.position) - numberOf(from) > HISTORY_SIZE;
}

/**
 * Whoever had got a write that a failover lost may be told so by a server that has not heard of the new beginning yet, and
 * sends it back to where the old history ends now. The new beginning is told then as well.
 */
function wentBack({ lostWrites = [] }: Loss, { topic }: Reset, from: string): boolean {
  return lostWrites.some(
    (event) => event.topic === topic && numberOf(event.position!) <= numberOf(from),
  );
}

function describe({ client, sightings }: ClientDiary, index: number, known: Knowledge): string {
  const reset = sightings[index] as Reset;
  const before = sightings
    .slice(0, index)
    .filter((one) => !('topic' in one) || one.topic === reset.topic)
    .slice(-6);
  return `${client}: reset without a cause: ${JSON.stringify(reset)} from ${known.position}, after ${JSON.stringify(before)}`;
}
