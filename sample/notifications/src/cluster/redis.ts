import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const BINARIES = ['redis-server', 'valkey-server'];
const START_MS = 5_000;

export interface Redis {
  readonly url: string;
  readonly stop: () => void;
}

/** The one of `REDIS_URL`, else one that is started for as long as this process lives. */
export async function provideRedis(): Promise<Redis> {
  const url = process.env.REDIS_URL;
  if (url !== undefined && url !== '') return { url, stop: () => {} };
  const binary = BINARIES.map(findOnPath).find((path) => path !== undefined);
  if (binary === undefined) {
    throw new Error(
      'Several servers need a Redis. Install one (Debian: apt-get install redis-server; macOS: brew install redis), or ' +
        'name one that runs: REDIS_URL=redis://localhost:6379 npm run start:cluster',
    );
  }
  return startRedis(binary);
}

async function startRedis(binary: string): Promise<Redis> {
  const dir = mkdtempSync(join(tmpdir(), 'notifications-redis-'));
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  // Ends with this process whatever ends it: the watcher reads from a pipe that nobody else holds open.
  const script = `"$0" "$@" & read -r _; kill -9 $!`;
  const child = spawn('sh', ['-c', script, binary, ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // a Ctrl-C in the terminal ends the servers first
  });
  child.unref();
  const stop = (): void => {
    child.stdin.end();
    rmSync(dir, { recursive: true, force: true });
  };
  await untilOpen(port).catch((error: unknown) => {
    stop();
    throw error;
  });
  return { url: `redis://127.0.0.1:${port}`, stop };
}

function findOnPath(name: string): string | undefined {
  const paths = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilOpen(port: number): Promise<void> {
  const until = performance.now() + START_MS;
  while (!(await isOpen(port))) {
    if (performance.now() > until) throw new Error('The Redis that was started does not answer.');
    await delay(20);
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
