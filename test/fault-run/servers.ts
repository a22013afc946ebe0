import { type ChildProcess, fork } from 'node:child_process';
import type { LoopWsOptions } from '../../lib/index.js';
import type { PublishedEvent } from '../../lib/testing/index.js';
import { eventually } from '../support/eventually.js';
import { builtEntry } from '../support/server-processes.js';
import { ACCOUNTS, HISTORY_SIZE, ROOMS } from './scale.js';

const HEALING_MS = 30_000;

const CONFIG: LoopWsOptions['config'] = {
  serverBeatMs: 100,
  serverTimeoutMs: 2_000,
  redisCommandTimeoutMs: 600,
  redisReconnectBaseMs: 20,
  redisReconnectCapMs: 200,
  receiptTimeoutMs: 600,
  historyCheckMs: 5_000,
  drainMs: 300,
  reconnectSpreadMs: 300,
  presenceGraceMs: 0,
};

/** One server process, and its successors after it was killed. */
export interface FaultServer {
  readonly name: string;
  readonly url: string;
  readonly child: ChildProcess;
}

/** The server processes of a run. */
export class FaultServers {
  readonly running: FaultServer[] = [];
  private started = 0;

  constructor(
    private readonly redis: (index: number) => NonNullable<LoopWsOptions['redis']>,
    private readonly record: (event: PublishedEvent) => void,
  ) {}

  async start(index: number): Promise<void> {
    const name = `server${index}.${++this.started}`;
    const child = fork('test/fault-run/fault-server.mjs', {
      execArgv: [],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        LOOPWS_LIB: builtEntry('index.js'),
        LOOPWS_TESTING: builtEntry('testing/index.js'),
        LOOPWS_RUN: JSON.stringify({
          name,
          redis: this.redis(index),
          config: CONFIG,
          services: { orders: { history: { size: HISTORY_SIZE, ttlMs: 600_000 } }, live: {} },
          accounts: ACCOUNTS,
          rooms: ROOMS,
        }),
      },
    });
    child.on('message', ({ published }: { published?: PublishedEvent }) => {
      if (published !== undefined) this.record(published);
    });
    const { port } = await answerOf<{ port: number }>(child, 'port');
    this.running[index] = { name, child, url: `ws://127.0.0.1:${port}/ws` };
  }

  async kill(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this.running[index]!;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  /** Resolves when so many pushes to one account were confirmed. */
  async flood(index: number, account: string, count: number): Promise<void> {
    const { child } = this.running[index]!;
    const flooded = answerOf(child, 'flooded');
    child.send({ floodOf: account, count });
    await flooded;
  }

  /** Resolves when each of them has had a durable push confirmed that began now. */
  async untilWell(lastConfirmed: (name: string) => number): Promise<void> {
    const since = Date.now();
    await eventually(
      'every server pushes',
      () => this.running.every(({ name }) => lastConfirmed(name) > since),
      HEALING_MS,
    );
  }

  /** Ends the pushing. Resolves when the outcome of each push is known. */
  async stopPushing(): Promise<void> {
    await Promise.all(
      this.running.map(({ child }) => {
        const stopped = answerOf(child, 'stopped');
        child.send({ stop: true });
        return stopped;
      }),
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.running.map((_, index) => this.kill(index, 'SIGKILL')));
  }
}

function answerOf<T extends object>(child: ChildProcess, field: string): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`A server ended with ${code}.`)));
    child.on('message', (message: T) => {
      if (field in message) resolve(message);
    });
  });
}
