import { startRedis } from '../../test/support/redis-server.js';
import { Remote } from '../support/remote.js';
import { RedisMeter, type RedisUsage } from '../support/redis-meter.js';
import type { Load, ProcessUsage, TargetedProcess } from './targeted-process.js';

const ACCOUNTS_PER_SERVER = 4;

export type Host = Remote<TargetedProcess>;

/** What a stretch of time has cost. */
export interface Window {
  readonly ms: number;
  readonly pushes: number;
  readonly redisMicros: number;
  readonly commands: number;
  readonly bytesOut: number;
  readonly publisherMicros: number;
}

/** A Redis and its servers: one publishes, one has the accounts that it publishes for, and the others are idle. */
export class BenchCluster {
  private constructor(
    readonly size: number,
    private readonly meter: RedisMeter,
    private readonly publisher: Host,
  ) {}

  /** One server on each host; the same host may be named again. */
  static async start(
    hosts: readonly [publisher: Host, ...Host[]],
    { durable = false } = {},
  ): Promise<BenchCluster> {
    const redis = await startRedis();
    const size = hosts.length;
    for (const [at, host] of hosts.entries()) {
      const serverId = serverOf(size, at);
      await host.call('start', {
        redis: redis.url,
        serverId,
        accounts: accountsOf(serverId),
        durable,
      });
    }
    return new BenchCluster(size, new RedisMeter(redis.url), hosts[0]);
  }

  redisVersion(): Promise<string> {
    return this.meter.version();
  }

  /** Runs `work`, which resolves with how many pushes it made, and tells what the time until then has cost. */
  async measure(work: () => Promise<number>): Promise<Window> {
    const [redis, publisher] = await this.read();
    const began = performance.now();
    const pushes = await work();
    const ms = performance.now() - began;
    const [redisAfter, publisherAfter] = await this.read();
    return {
      ms,
      pushes,
      redisMicros: redisAfter.cpuMicros - redis.cpuMicros,
      commands: redisAfter.commands - redis.commands,
      bytesOut: redisAfter.bytesOut - redis.bytesOut,
      publisherMicros: publisherAfter.cpuMicros - publisher.cpuMicros,
    };
  }

  /** The first server pushes to the accounts of the second one. */
  push(load: Load, forMs: number): Promise<number> {
    const accounts = accountsOf(serverOf(this.size, 1));
    const order = { ...load, serverId: serverOf(this.size, 0), accounts, forMs };
    return this.publisher.call('push', order);
  }

  private read(): Promise<[RedisUsage, ProcessUsage]> {
    return Promise.all([this.meter.usage(), this.publisher.call('usage', undefined)]);
  }
}

export function startHost(): Host {
  return new Remote<TargetedProcess>(new URL('targeted-process.js', import.meta.url));
}

/** What one push has cost beyond what the idle cluster would have cost meanwhile. */
export function costPerPush(
  window: Window,
  idle: Window,
  cost: Exclude<keyof Window, 'ms' | 'pushes'>,
): number {
  return (window[cost] - (idle[cost] * window.ms) / idle.ms) / window.pushes;
}

function serverOf(size: number, at: number): string {
  return `${size}-${at}`;
}

function accountsOf(serverId: string): string[] {
  return Array.from({ length: ACCOUNTS_PER_SERVER }, (_, at) => `account-${serverId}-${at}`);
}
