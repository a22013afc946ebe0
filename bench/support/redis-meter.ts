import { Redis } from 'ioredis';

/** What a Redis server has done since it was started. */
export interface RedisUsage {
  readonly cpuMicros: number;
  readonly commands: number;
  readonly bytesOut: number;
}

/** Reads the counters of a Redis server. Its own cost is in them, and the same in each reading. */
export class RedisMeter {
  private readonly redis: Redis;

  constructor(url: string) {
    this.redis = new Redis(url);
  }

  async version(): Promise<string> {
    return fieldOf(await this.redis.info('server'), 'redis_version');
  }

  async usage(): Promise<RedisUsage> {
    const info = await this.redis.info('cpu', 'stats');
    const seconds = Number(fieldOf(info, 'used_cpu_user')) + Number(fieldOf(info, 'used_cpu_sys'));
    return {
      cpuMicros: seconds * 1e6,
      commands: Number(fieldOf(info, 'total_commands_processed')),
      bytesOut: Number(fieldOf(info, 'total_net_output_bytes')),
    };
  }

  /** How many channels have a subscriber. */
  async channels(): Promise<number> {
    return Number(fieldOf(await this.redis.info('stats'), 'pubsub_channels'));
  }

  /** What it holds, in bytes. */
  async memory(): Promise<number> {
    return Number(fieldOf(await this.redis.info('memory'), 'used_memory'));
  }

  /** How often a command was called. */
  async calls(command: string): Promise<number> {
    const info = await this.redis.info('commandstats');
    return Number(/calls=(\d+)/.exec(fieldOf(info, `cmdstat_${command}`, ''))?.[1] ?? 0);
  }

  /** Cuts every connection but this one. */
  async cutEveryone(): Promise<void> {
    await this.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await this.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  }

  async keys(): Promise<number> {
    return this.redis.dbsize();
  }

  /** As if it had been restarted without its data. */
  async loseEverything(): Promise<void> {
    await this.redis.flushall();
    await this.cutEveryone();
  }

  close(): void {
    this.redis.disconnect();
  }
}

function fieldOf(info: string, name: string, otherwise?: string): string {
  const line = info.split('\r\n').find((one) => one.startsWith(`${name}:`));
  const value = line?.slice(name.length + 1) ?? otherwise;
  if (value === undefined) throw new Error(`This Redis server does not report ${name}.`);
  return value;
}
