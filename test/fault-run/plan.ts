import {
  failoverWithLostWrites,
  type Fault,
  FAULTS_ANYWHERE,
  FAULTS_OF_ONE_REDIS,
} from './faults.js';
import type { Random } from '../support/random.js';

export type NamedFault = readonly [name: string, fault: Fault];

/** Of so many faults on one Redis, how many more a group with Sentinel suffers, and how many failovers. */
const OTHERS_SHARE = 0.5;
const FAILOVERS_SHARE = 0.1;

export const DEFAULT_FAULTS = Object.keys(FAULTS_OF_ONE_REDIS).length;

export interface Plan {
  readonly onOneRedis: readonly NamedFault[];
  readonly onSentinels: readonly NamedFault[];
}

export function planOf(random: Random, count: number): Plan {
  const failovers = Math.max(1, Math.round(count * FAILOVERS_SHARE));
  const others = Math.max(1, Math.round(count * OTHERS_SHARE));
  return {
    onOneRedis: someOf(random, Object.entries(FAULTS_OF_ONE_REDIS), count),
    onSentinels: random.shuffled([
      ...Array<NamedFault>(failovers).fill(['failover with lost writes', failoverWithLostWrites]),
      ...someOf(random, Object.entries(FAULTS_ANYWHERE), others),
    ]),
  };
}

/** Each once in random order before any comes again. */
function someOf(random: Random, faults: readonly NamedFault[], count: number): NamedFault[] {
  const plan: NamedFault[] = [];
  while (plan.length < count) plan.push(...random.shuffled(faults));
  return plan.slice(0, count);
}
