import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';

const running = new Set<RedisServer>();
process.once('exit', () => running.forEach((server) => server.end()));

/** A real Redis of its own on a free port, that a test may pause, kill and start again empty. */
export class RedisServer {
  private readonly dir = mkdtempSync(join(tmpdir(), 'loopws-redis-'));
  private process: ChildProcess | undefined;

  constructor(
    readonly port: number,
    readonly args: readonly string[],
  ) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Empty, whatever was there before. */
  async start(): Promise<void> {
    const fixed = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.dir];
    const args = [...fixed, '--save', '', '--appendonly', 'no', ...this.args];
    this.process = spawn(redisBinary(), args, { stdio: 'ignore' });
    await eventually('Redis answers', () =>
      this.command('PING').then(
        () => true,
        () => false,
      ),
    );
  }

  /** It keeps its sockets and answers nothing. */
  pause(): void {
    this.process?.kill('SIGSTOP');
  }

  resume(): void {
    this.process?.kill('SIGCONT');
  }

  /** Its data is gone with it. */
  async kill(): Promise<void> {
    const { process: child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
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

  /** At once, also when it is paused. */
  end(): void {
    running.delete(this);
    this.process?.kill('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export async function startRedis(...args: string[]): Promise<RedisServer> {
  const server = new RedisServer(await freePort(), args);
  running.add(server);
  await server.start();
  return server;
}

/** Before applications are closed: their farewell would wait for what is paused. */
export function resumeRedisServers(): void {
  for (const server of running) server.resume();
}

/** Call it after the applications that use them are closed. */
export function endRedisServers(): void {
  for (const server of running) server.end();
}

/** `LOOPWS_REDIS_SERVER`, else what is on the PATH; on Debian root gets it installed. */
export function redisBinary(): string {
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

const handedOut = new Set<number>();

/**
 * A port that nobody listens on, and that nobody will get before the caller does: it is below those that systems give to
 * outgoing connections (from 32 768 on Linux), to which a client that waits for its server may even connect to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
