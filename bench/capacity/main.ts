/*
 * npm run bench:capacity                                        writes docs/capacity.md
 * npm run bench:capacity -- --pushes-each 0.1 --broadcasts 2    prints what it says of a demand of yours as well
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { endRedisServers } from '../../test/support/redis-server.js';
import { factsOfThisRun } from '../report/run-facts.js';
import { endRemotes } from '../support/remote.js';
import { capacityPage, demandText } from './page.js';
import { measureCapacityPoints } from './points.js';

const { values } = parseArgs({
  options: { 'pushes-each': { type: 'string' }, broadcasts: { type: 'string' } },
});
const yours = {
  title: 'Your demand',
  pushesEach: Number(values['pushes-each'] ?? 0),
  broadcasts: Number(values.broadcasts ?? 0),
};
if (!(yours.pushesEach >= 0 && yours.broadcasts >= 0)) {
  console.error('Give --pushes-each per connection and second, and --broadcasts per second.');
  process.exit(2);
}
const { command, conditions } = await factsOfThisRun('npm run bench:capacity');
try {
  const points = await measureCapacityPoints();
  await writeFile('docs/capacity.md', capacityPage(points, [...conditions, `\`${command}\``]));
  if (yours.pushesEach + yours.broadcasts > 0) console.log(demandText(points, yours));
} finally {
  await endRemotes();
  endRedisServers();
}
process.exit();
