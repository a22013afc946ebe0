/*
 * npm run test:faults -- [--seed 7] [--faults 30] [--picture timeline.svg]
 *
 * Servers, hundreds of clients and several publishers live through faults in random order. In the end nothing may be lost
 * in silence, doubled or out of order, and each reset must have a cause. The seed gives the same order again.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildLibrary } from '../support/server-processes.js';
import { FAULTS, planOf, planWithFailover } from './faults.js';
import { Random } from './random.js';
import { failuresIn, reportOf } from './report.js';
import { Stage, type StageResult } from './stage.js';
import { timelineOf } from './timeline.js';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, faults: { type: 'string' }, picture: { type: 'string' } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));
const count = Number(values.faults ?? Object.keys(FAULTS).length);
const random = new Random(seed);

console.log(`seed ${seed}, ${count} faults on one Redis, then a failover among others`);
await buildLibrary();
const results = [
  await played(
    await Stage.onOneRedis(random),
    planOf(random, count).map((name) => [name, FAULTS[name]]),
  ),
  await played(await Stage.onSentinels(random), planWithFailover(random)),
];
console.log(reportOf(results));
if (values.picture !== undefined) {
  await writeFile(values.picture, timelineOf(results[0]!.spans, results[0]!.buckets));
}
const failures = failuresIn(results);
for (const failure of failures.slice(0, 30)) console.error(failure);
if (failures.length > 0)
  console.error(`Run it again: npm run test:faults -- --seed ${seed} --faults ${count}`);
process.exit(failures.length > 0 ? 1 : 0);

async function played(stage: Stage, faults: Parameters<Stage['play']>[0]): Promise<StageResult> {
  try {
    return await stage.play(faults);
  } finally {
    await stage.end();
  }
}
