import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;

/** Runs a command to its end and returns what it wrote to its standard output; the error of a failure says it all. */
export async function run(cwd, command, ...args) {
  try {
    const { stdout } = await execute(command, args, { cwd, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const output = `${error.stdout}${error.stderr}`.trim() || error.message;
    throw new Error(`"${command} ${args.join(' ')}" failed:\n${output}`, { cause: error });
  }
}

/** Starts a Node program that stops when this process ends. */
export function start(cwd, ...args) {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => {
      process.off('exit', kill);
      resolve(code ?? signal);
    });
  });
  return {
    /** The first line that the program writes. */
    firstLine: () =>
      Promise.race([
        new Promise((resolve) => {
          createInterface({ input: child.stdout }).once('line', resolve);
        }),
        ended.then((how) => fail(`"node ${args.join(' ')}" ended with ${how} and wrote nothing.`)),
        after(START_TIMEOUT_MS, `"node ${args.join(' ')}" wrote nothing`),
      ]),
    /** Ends the program as a supervisor would. */
    async stop() {
      child.kill('SIGTERM');
      try {
        await Promise.race([ended, after(STOP_TIMEOUT_MS, 'SIGTERM did not stop the program')]);
      } finally {
        kill();
      }
    },
  };
}

async function after(ms, message) {
  await sleep(ms, undefined, { ref: false });
  fail(`${message} within ${ms / 1000} s.`);
}

function fail(message) {
  throw new Error(message);
}
