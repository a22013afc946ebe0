import type { ClientDiary } from '../../lib/testing/index.js';
import type { Loss } from './world.js';

/** A failover may be told in two steps: what took the place of the lost writes, and the new beginning after it. */
const RESETS_OF_ONE_LOSS = 2;

export const WITHOUT_CAUSE = 'WITHOUT CAUSE';

/** How many resets each loss has caused. One that no loss explains, or that repeats too often, is without cause. */
export function resetsByCause(
  diaries: readonly ClientDiary[],
  losses: readonly Loss[],
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { client, sightings } of diaries) {
    const told = new Map<string, number>();
    for (const sighting of sightings) {
      if (sighting.kind !== 'reset') continue;
      const loss = causeOf(sighting, client, losses);
      const key = `${sighting.topic} ${loss?.at ?? ''}`;
      const times = (told.get(key) ?? 0) + 1;
      told.set(key, times);
      const cause = loss !== undefined && times <= RESETS_OF_ONE_LOSS ? loss.kind : WITHOUT_CAUSE;
      counts.set(cause, (counts.get(cause) ?? 0) + 1);
    }
  }
  return counts;
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
