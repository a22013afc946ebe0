import { createServer } from 'node:net';
import { RedisProcess } from './redis-process.js';

const running = new Set<RedisServer>();
process.once('exit', () => running.forEach((server) => server.end()));

/** A real Redis of its own on a free port, that a test may pause, kill and start again empty. */
export class RedisServer extends RedisProcess {
  constructor(
    port: number,
    readonly args: readonly string[],
  ) {
    super(port);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Empty, whatever was there before. */
  async start(): Promise<void> {
    const fixed = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.dir];
    const args = [...fixed, '--save', '', '--appendonly', 'no', ...this.args];
    await this.launch(args, () => this.answers());
  }

  override end(): void {
    running.delete(this);
    super.end();
  }

  private answers(): Promise<boolean> {
    return this.command('PING').then(
      () => true,
      () => false,
    );
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
