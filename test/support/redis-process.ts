import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';

/** Of what it wrote before it ended, in characters. */
const LAST_WORDS = 2_000;

/** A program of Redis with a port and a directory of its own. */
export class RedisProcess {
  protected readonly dir = mkdtempSync(join(tmpdir(), 'loopws-redis-'));
  private child: ChildProcess | undefined;

  constructor(readonly port: number) {}

  /** It keeps its sockets and answers nothing. */
  pause(): void {
    this.child?.kill('SIGSTOP');
  }

  resume(): void {
    this.child?.kill('SIGCONT');
  }

  /** Resolves when it is gone. Its data is gone with it; it may be started again. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** At once, also when it is paused. */
  end(): void {
    this.child?.kill('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Runs one command as an administrator. */
  async command<Result>(name: string, ...args: (string | number)[]): Promise<Result> {
    const redis = new Redis(this.port, '127.0.0.1', {
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    redis.on('error', () => {});
    try {
      await redis.connect();
      return (await redis.call(name, ...args)) as Result;
    } finally {
      if (redis.status !== 'end') redis.disconnect(); // else it would keep the process for two more seconds
    }
  }

  /** Resolves when this process answers, and not another one on its port, and is ready; rejects when it ends before. */
  protected async launch(
    args: readonly string[],
    isReady: () => Promise<boolean>,
    withinMs?: number,
  ): Promise<void> {
    const output = join(this.dir, 'output');
    const file = openSync(output, 'w');
    const child = spawn(redisBinary(), args, { stdio: ['ignore', file, file] });
    closeSync(file);
    this.child = child;
    let failure: Error | undefined;
    child.once('error', (error) => (failure = error));
    const answers = async (): Promise<boolean> => {
      if (failure !== undefined) throw failure;
      const end = child.exitCode ?? child.signalCode;
      if (end !== null) throw new Error(`Redis ended with ${end}: ${lastWords(output)}`);
      return (await this.answersItself(child.pid)) && isReady();
    };
    await eventually('Redis answers', answers, withinMs);
  }

  private answersItself(pid: number | undefined): Promise<boolean> {
    return this.command<string>('INFO', 'server').then(
      (info) => info.includes(`\nprocess_id:${pid}\r`),
      () => false, // it is starting
    );
  }
}

function lastWords(file: string): string {
  return readFileSync(file, 'utf8').slice(-LAST_WORDS).trim();
}

/** `LOOPWS_REDIS_SERVER`, else what is on the PATH; on Debian root gets it installed. */
function redisBinary(): string {
  const named = process.env['LOOPWS_REDIS_SERVER'];
  if (named !== undefined) return named;
  const found = ['redis-server', 'valkey-server'].find(isOnPath);
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && isOnPath('apt-get')) {
    execFileSync('sh', [
      '-c',
      'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server',
    ]);
    return 'redis-server';
  }
  throw new Error(
    'These tests need a Redis server: install redis-server or valkey-server, or name one in LOOPWS_REDIS_SERVER.',
  );
}

function isOnPath(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
