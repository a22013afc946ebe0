/* npm run bench:capacity, which writes docs/capacity.md */
import { writeFile } from 'node:fs/promises';
import { endRedisServers } from '../../test/support/redis-server.js';
import { factsOfThisRun } from '../report/run-facts.js';
import { endRemotes } from '../support/remote.js';
import { capacityPage } from './page.js';
import { measureCapacityPoints } from './points.js';

const { command, conditions } = await factsOfThisRun('npm run bench:capacity');
try {
  const points = await measureCapacityPoints();
  await writeFile('docs/capacity.md', capacityPage(points, [...conditions, `\`${command}\``]));
  console.log(points);
} finally {
  await endRemotes();
  endRedisServers();
}
process.exit();
