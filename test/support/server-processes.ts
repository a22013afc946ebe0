import { type ChildProcess, execFile, fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { LoopWsOptions } from '../../lib/index.js';

const BUILD = join(process.cwd(), 'node_modules/.cache/loopws-build');

/** The library as users run it. Below `node_modules`, so that it finds its peers. */
export async function buildLibrary(): Promise<void> {
  const tsc = join(process.cwd(), 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', BUILD];
  await promisify(execFile)(process.execPath, args);
  await mkdir(BUILD, { recursive: true });
  await writeFile(join(BUILD, 'package.json'), '{ "type": "module" }');
}

/** What a process of its own imports. */
export function builtEntry(file: string): string {
  return pathToFileURL(join(BUILD, file)).href;
}

const running = new Set<ServerProcess>();

const environment = (redis: string): NodeJS.ProcessEnv => ({
  ...process.env,
  NODE_OPTIONS: '',
  LOOPWS_LIB: builtEntry('index.js'),
  LOOPWS_REDIS: redis,
});

export interface ServerProcessOptions {
  /** By how much its clock is fast, in milliseconds. */
  readonly clockOffMs?: number;
  readonly config?: LoopWsOptions['config'];
}

/** A server in a process of its own, that a test may kill. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /** Presence edges that it reports are added to `edges`. */
  static async start(
    serverId: string,
    redis: string,
    edges: string[],
    { clockOffMs = 0, config = {} }: ServerProcessOptions = {},
  ): Promise<ServerProcess> {
    const child = fork('test/support/server-process.mjs', {
      execArgv: [],
      env: {
        ...environment(redis),
        LOOPWS_SERVER_ID: serverId,
        LOOPWS_CLOCK_OFF_MS: `${clockOffMs}`,
        LOOPWS_CONFIG: JSON.stringify(config),
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`Server ${serverId} ended with ${code}.`)));
      child.on('message', (message: { port?: number; edge?: string }) => {
        if (message.edge !== undefined) edges.push(message.edge);
        if (message.port !== undefined) resolve(message.port);
      });
    });
    const server = new ServerProcess(child, port);
    running.add(server);
    return server;
  }

  /** Its event loop does nothing else for this long. Resolves when it has begun. */
  async block(ms: number): Promise<void> {
    const begun = new Promise<void>((resolve) => {
      const listen = (message: { readonly blocked?: true }): void => {
        if (message.blocked === undefined) return;
        this.child.off('message', listen);
        resolve();
      };
      this.child.on('message', listen);
    });
    this.child.send({ blockMs: ms });
    await begun;
  }

  /** It keeps its sockets and does nothing, as a virtual machine does that is moved. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** As whoever deploys a new version does. Resolves when the process is gone. */
  async stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    await gone;
    running.delete(this);
  }

  /** As the kernel does when memory is short: nothing is said to anybody. */
  kill(): void {
    running.delete(this);
    this.child.kill('SIGKILL');
  }
}

export function killServerProcesses(): void {
  for (const server of running) server.kill();
}

/** Runs the script of a worker to its end. Rejects when it does not end by itself within `withinMs`. */
export async function runWorkerProcess(redis: string, withinMs: number): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['test/support/worker-process.mjs'],
    { env: environment(redis), timeout: withinMs },
  );
  return JSON.parse(stdout);
}
