import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { RunFacts } from './page.js';

const run = promisify(execFile);

const MEASURED = [
  '@nestjs/core',
  '@nestjs/platform-ws',
  '@nestjs/platform-socket.io',
  'ws',
  'socket.io',
  '@socket.io/redis-adapter',
  '@socket.io/redis-streams-adapter',
  'ioredis',
];

/** What the figures of this run were measured with. */
export async function factsOfThisRun(command: string): Promise<RunFacts> {
  const versions = await Promise.all(MEASURED.map(versionOf));
  const { stdout: commit } = await run('git', ['rev-parse', '--short', 'HEAD']);
  const { stdout: changes } = await run('git', ['status', '--porcelain', '--', 'lib', 'bench']);
  const { stdout: redis } = await run('redis-server', ['--version']);
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return {
    command,
    conditions: [
      `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores (${cpus()[0]?.model}), ${memory}, Linux ${release()}`,
      `LoopWs at ${commit.trim()}${changes === '' ? '' : ' with changes'}, Node ${process.version}, Redis ${/v=([\d.]+)/.exec(redis)?.[1]}`,
      versions.join(', '),
    ],
  };
}

async function versionOf(name: string): Promise<string> {
  const text = await readFile(`node_modules/${name}/package.json`, 'utf8');
  return `${name} ${(JSON.parse(text) as { version: string }).version}`;
}
