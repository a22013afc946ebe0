import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RedisConnectOptions } from '../../lib/index.js';
import { eventually } from './eventually.js';
import { RedisProcess } from './redis-process.js';
import { freePort, type RedisServer, startRedis } from './redis-server.js';
import { TcpProxy } from './tcp-proxy.js';

const NAME = 'loopws';
const running = new Set<Sentinel>();
process.once('exit', endSentinels);

/** Long, so that Sentinel leaves the replica at its proxy: it would point it to the master after this time. */
const FAILOVER_TIMEOUT_MS = 60_000;

class Sentinel extends RedisProcess {
  constructor(
    port: number,
    private readonly downAfterMs: number,
  ) {
    super(port);
  }

  async start(masterPort: number): Promise<void> {
    const file = join(this.dir, 'sentinel.conf');
    const lines = [
      `port ${this.port}`,
      'bind 127.0.0.1',
      `dir ${this.dir}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 1`,
      `sentinel down-after-milliseconds ${NAME} ${this.downAfterMs}`,
      `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    await this.launch([file, '--sentinel'], () => this.knowsTheReplica(), 15_000);
  }

  private async knowsTheReplica(): Promise<boolean> {
    try {
      const [replica] = await this.command<unknown[]>('SENTINEL', 'REPLICAS', NAME);
      // Listed is not enough: what it has not asked yet it does not promote.
      return JSON.stringify(replica).includes('"master-link-status","ok"');
    } catch {
      return false; // it is starting
    }
  }
}

/** The next master would let its replica wait for 5 s. */
const AT_ONCE = ['--repl-diskless-sync-delay', '0'] as const;

/** A master, a replica that has all its data, and a Sentinel that will make the one of them of the other. */
export class SentinelGroup {
  private constructor(
    private first: RedisServer,
    private second: RedisServer,
    /** Between the replica and the master. */
    private replication: TcpProxy,
    private readonly sentinel: Sentinel,
    /** Between the master and everybody but those that use {@link insideOptions}, who are in one network with it. */
    private readonly front: TcpProxy,
    /** Between those and the Sentinel. */
    private readonly toSentinel: TcpProxy,
  ) {}

  /** A master that is silent for `downAfterMs` is replaced. */
  static async start({ downAfterMs = 1_000 } = {}): Promise<SentinelGroup> {
    const master = await startRedis(...AT_ONCE);
    const front = await TcpProxy.start(master.port);
    const replication = await TcpProxy.start(master.port);
    const replica = await startRedis(...AT_ONCE, '--replicaof', `127.0.0.1 ${replication.port}`);
    // Before the first sentinel looks: a failover to a replica without the data never happens.
    await untilInStep(replica);
    const sentinel = new Sentinel(await freePort(), downAfterMs);
    running.add(sentinel);
    await sentinel.start(front.port);
    const toSentinel = await TcpProxy.start(sentinel.port);
    return new SentinelGroup(master, replica, replication, sentinel, front, toSentinel);
  }

  get master(): RedisServer {
    return this.first;
  }

  get replica(): RedisServer {
    return this.second;
  }

  /** By which Sentinel may name the server to its clients. */
  portsOf(server: RedisServer): number[] {
    return [server.port, ...(this.front.leadsTo(server.port) ? [this.front.port] : [])];
  }

  /**
   * Call it after a failover: what was the master comes back as the replica of the new one, and gets all its data. Its
   * Sentinel is a new one, for the same one would wait with the next failover.
   */
  async rebuild(): Promise<void> {
    await this.sentinel.kill();
    [this.first, this.second] = [this.second, this.first];
    this.replication = await TcpProxy.start(this.master.port);
    await this.replica.start();
    await this.replica.command('REPLICAOF', '127.0.0.1', this.replication.port);
    await untilInStep(this.replica);
    await this.sentinel.start(this.master.port);
  }

  /** For a server that stays with the master when the network is split. */
  get insideOptions(): RedisConnectOptions {
    const natMap = {
      [`127.0.0.1:${this.front.port}`]: { host: '127.0.0.1', port: this.master.port },
    };
    return { ...this.optionsAsking(this.toSentinel.port), natMap };
  }

  /** The master and those who are in one network with it are alone from now on. */
  split(): void {
    for (const way of [this.front, this.toSentinel, this.replication]) {
      way.refuse();
      way.cut();
    }
  }

  reunite(): void {
    for (const way of [this.front, this.toSentinel, this.replication]) way.accept();
  }

  get options(): RedisConnectOptions {
    return this.optionsAsking(this.sentinel.port);
  }

  /** As if there were a Sentinel behind each of the ports. */
  optionsAsking(...ports: number[]): RedisConnectOptions {
    return { sentinels: ports.map((port) => ({ host: '127.0.0.1', port })), name: NAME };
  }

  get sentinelPort(): number {
    return this.sentinel.port;
  }

  /** From now on the replica gets no writes, and nobody knows. */
  losesWrites(): void {
    this.replication.blackHole();
  }

  /** The planned one, with both servers well. */
  async failOver(): Promise<void> {
    await this.sentinel.command('SENTINEL', 'FAILOVER', NAME);
  }

  /** Resolves when Sentinel sends newcomers to what was the replica. */
  async failedOver(): Promise<void> {
    await eventually(
      'Sentinel names the new master',
      async () => {
        const asked = this.sentinel.command<string[]>('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
        const [, port] = await asked;
        return Number(port) === this.replica.port;
      },
      15_000,
    );
  }
}

async function untilInStep(replica: RedisServer): Promise<void> {
  await eventually(
    'the replica is in step',
    async () => {
      const info = await replica.command<string>('INFO', 'replication');
      return info.includes('master_link_status:up');
    },
    15_000,
  );
}

/** Call it after the applications that use them are closed. */
export function endSentinels(): void {
  for (const sentinel of running) sentinel.end();
  running.clear();
}
