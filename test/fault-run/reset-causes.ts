import type { ClientDiary } from '../../lib/testing/index.js';
import type { Loss } from './world.js';

/** A failover may be told in two steps: what took the place of the lost writes, and the new beginning after it. */
const RESETS_OF_ONE_LOSS = 2;

export interface ResetCauses {
  /** How many resets each kind of loss has caused. */
  readonly counts: ReadonlyMap<string, number>;
  /** Resets that no loss explains, or that repeat too often, in words. */
  readonly strange: readonly string[];
}

export function causesOfResets(
  diaries: readonly ClientDiary[],
  losses: readonly Loss[],
): ResetCauses {
  const counts = new Map<string, number>();
  const strange: string[] = [];
  for (const { client, sightings } of diaries) {
    const told = new Map<string, number>();
    for (const [index, sighting] of sightings.entries()) {
      if (sighting.kind !== 'reset') continue;
      const loss = causeOf(sighting, client, losses);
      const key = `${sighting.topic} ${loss?.at ?? ''}`;
      const times = (told.get(key) ?? 0) + 1;
      told.set(key, times);
      if (loss !== undefined && times <= RESETS_OF_ONE_LOSS) {
        counts.set(loss.kind, (counts.get(loss.kind) ?? 0) + 1);
      } else {
        const before = JSON.stringify(sightings.slice(Math.max(0, index - 4), index));
        const last =
          loss === undefined
            ? 'nothing was lost'
            : `${sighting.at - loss.at} ms after ${loss.kind}`;
        strange.push(
          `${client}: reset without a cause, ${last}: ${JSON.stringify(sighting)} after ${before}`,
        );
      }
    }
  }
  return { counts, strange };
}

function causeOf(
  { topic, at }: { topic: string; at: number },
  client: string,
  losses: readonly Loss[],
): Loss | undefined {
  const [account] = client.split('/');
  return losses.findLast(
    (loss) =>
      loss.at <= at &&
      (loss.account === undefined || (loss.account === account && topic === `account:${account}`)),
  );
}
