import { fork } from 'node:child_process';
import { faultTest } from '../support/fault-test.js';
import { startRedis } from '../support/redis-server.js';
import { buildLibrary, builtEntry } from '../support/server-processes.js';

/** In bytes. 170 for each of the 24 000 pushes of one kind: less than anything that could be kept of one. */
const BOUND = 4_000_000;

faultTest();
beforeAll(buildLibrary, 120_000);

interface Outcome {
  readonly base: number;
  readonly end: number;
  readonly rejections: readonly string[];
}

it('P6: cut connections with thousands of pushes under way leave nothing behind', async () => {
  const redis = await startRedis();
  const child = fork('test/support/memory-rounds.mjs', {
    execArgv: ['--expose-gc'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      LOOPWS_LIB: builtEntry('index.js'),
      LOOPWS_TESTING: builtEntry('testing/index.js'),
      LOOPWS_REDIS: redis.url,
    },
  });
  const outcome = await new Promise<Outcome>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Outcome));
    child.once('exit', (code) => reject(new Error(`It ended with ${code}.`)));
  }).finally(() => child.kill('SIGKILL'));
  expect(outcome.rejections).toEqual([]);
  expect(outcome.end - outcome.base).toBeLessThan(BOUND);
}, 90_000);
