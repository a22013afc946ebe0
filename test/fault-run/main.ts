/*
 * npm run test:faults -- [--seed 7] [--faults 30] [--picture timeline.svg]
 *
 * Servers, hundreds of clients and several publishers live through faults in random order. In the end nothing may be lost
 * in silence, doubled or out of order, and each reset must have a cause. The seed gives the same order again.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildLibrary } from '../support/server-processes.js';
import { DEFAULT_FAULTS, type NamedFault, planOf } from './plan.js';
import { Random } from '../support/random.js';
import { failuresIn, reportOf } from './report.js';
import type { Stage, StageResult } from './stage.js';
import { onOneRedis, onSentinels } from './stages.js';
import { timelineOf } from './timeline.js';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, faults: { type: 'string' }, picture: { type: 'string' } },
});
const seed = wholeNumber('seed', values.seed, 0) ?? Math.floor(Math.random() * 1e6);
const count = wholeNumber('faults', values.faults, 1) ?? DEFAULT_FAULTS;
const random = new Random(seed);
const plan = planOf(random, count);

console.log(`seed ${seed}, ${count} faults on one Redis, ${plan.onSentinels.length} with Sentinel`);
await buildLibrary();
const results = [
  await played(onOneRedis, random.fork(), plan.onOneRedis),
  await played(onSentinels, random.fork(), plan.onSentinels),
];
console.log(reportOf(results));
if (values.picture !== undefined) await writeFile(values.picture, timelineOf(results));
const failures = failuresIn(results);
for (const failure of failures) console.error(failure);
if (failures.length > 0) {
  console.error(`Run it again: npm run test:faults -- --seed ${seed} --faults ${count}`);
}
process.exit(failures.length > 0 ? 1 : 0);

async function played(
  begin: (random: Random) => Promise<Stage>,
  own: Random,
  faults: readonly NamedFault[],
): Promise<StageResult> {
  const stage = await begin(own);
  try {
    return await stage.play(faults);
  } finally {
    await stage.end();
  }
}

function wholeNumber(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  console.error(`--${option} must be a whole number from ${least} up, not "${text}".`);
  process.exit(2);
}
