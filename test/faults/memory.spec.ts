import { fork } from 'node:child_process';
import { faultTest } from '../support/fault-test.js';
import { startRedis } from '../support/redis-server.js';
import { buildLibrary, builtEntry } from '../support/server-processes.js';

/** In bytes. 170 for each of the 24 000 pushes of one kind: less than anything that could be kept of one. */
const OF_PUSHES = 4_000_000;

/** In bytes. 1 250 for each of the 1 600 visits: less than what there is of one connection. */
const OF_VISITS = 2_000_000;

faultTest();
beforeAll(buildLibrary, 120_000);

interface Outcome {
  readonly base: number;
  readonly end: number;
  readonly rejections: readonly string[];
}

/** What connections may leave in the servers and in Redis. */
interface Traces {
  readonly registered: number;
  /** Connections to Redis. */
  readonly clients: number;
  readonly keys: readonly string[];
  readonly channels: readonly string[];
}

interface ChurnOutcome extends Outcome {
  readonly before: Traces;
  readonly during: Traces;
  readonly after: Traces;
}

it('P6: cut connections with thousands of pushes under way leave nothing behind', async () => {
  const outcome = await outcomeOf<Outcome>('memory-rounds.mjs');
  expect(outcome.rejections).toEqual([]);
  expect(outcome.end - outcome.base).toBeLessThan(OF_PUSHES);
}, 90_000);

it('P6, P7: thousands of clients that subscribe, join, are asked and leave, or are cut, leave nothing behind', async () => {
  const outcome = await outcomeOf<ChurnOutcome>('churn-rounds.mjs');
  expect(outcome.rejections).toEqual([]);
  expect(outcome.end - outcome.base).toBeLessThan(OF_VISITS);
  expect(outcome.during.registered).toBeGreaterThan(0);
  expect(outcome.after).toEqual(outcome.before);
}, 90_000);

/** Runs a script of test/support in a process of its own. */
async function outcomeOf<T extends Outcome>(script: string): Promise<T> {
  const redis = await startRedis();
  const child = fork(`test/support/${script}`, {
    execArgv: ['--expose-gc'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      LOOPWS_LIB: builtEntry('index.js'),
      LOOPWS_TESTING: builtEntry('testing/index.js'),
      LOOPWS_REDIS: redis.url,
    },
  });
  return new Promise<T>((resolve, reject) => {
    child.once('message', (message) => resolve(message as T));
    child.once('exit', (code) => reject(new Error(`It ended with ${code}.`)));
  }).finally(() => child.kill('SIGKILL'));
}
