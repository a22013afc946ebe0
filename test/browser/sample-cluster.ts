import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { eventually } from '../support/eventually.js';

const READY = /^\[(server-\d)\] Notifications sample: (http:\S+)$/;
const PROCESS = /^\[(server-\d)\] process (\d+)/;
const COUNT = 3;

/** What `npm run start:cluster` starts, in processes of their own. */
export class SampleCluster {
  readonly urls = new Map<string, string>();
  readonly pids = new Map<string, number>();
  output = '';
  private child: ChildProcess | undefined;

  /** Starts on three free ports in a row. */
  async start(env: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.launch({ ...env, PORT: `${await freePorts(COUNT)}` });
    await eventually('three servers listen', () => this.urls.size === COUNT, 15_000);
  }

  /** Starts what may end by itself; resolves with its exit code when it does. */
  async launch(env: NodeJS.ProcessEnv): Promise<() => Promise<number | null>> {
    const child = spawn(process.execPath, ['sample/notifications/dist/cluster.js'], {
      env: { ...process.env, REDIS_URL: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.note(line));
    }
    return async () => (await exited)[0];
  }

  kill(server: string): void {
    process.kill(this.pids.get(server)!, 'SIGKILL');
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  private note(line: string): void {
    this.output += `${line}\n`;
    const [, ready, url] = READY.exec(line) ?? [];
    if (ready !== undefined) this.urls.set(ready, url!);
    const [, started, pid] = PROCESS.exec(line) ?? [];
    if (started !== undefined) this.pids.set(started, Number(pid));
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The first of `count` free ports in a row. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all(Array.from({ length: count }, (_, at) => isFree(first + at)));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
