import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopTransportError } from '../loop-ws.errors.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import type { RedisDriver } from './driver.js';
import { startDriver } from './redis-link.js';

/** Channels of one SUBSCRIBE. Bounds how long one command keeps Redis, and one reply the event loop, busy. */
const CHUNK = 500;

interface Channel {
  /** The connection on which Redis confirmed it; 0 for none. */
  confirmedOn: number;
  waiting: (() => void)[];
  /** When it may be given up, by the monotonic clock; absent while somebody needs it. */
  until?: number | undefined;
}

/**
 * The connection that is subscribed, and the table of what it must be subscribed to. After each reconnection the whole
 * table is subscribed anew, `last` after everything else: whoever counts the subscribers of `last` counts those that
 * hear everything.
 */
export class ChannelSubscriber {
  private readonly channels = new Map<string, Channel>();
  private connection = 0;
  private complete = false;
  private fresh: string[] = [];
  private lingering: ReturnType<typeof setInterval> | undefined;
  private lastError: Error | undefined;
  private firstComplete!: () => void;
  private fail!: (error: unknown) => void;

  constructor(
    private readonly redis: RedisDriver,
    private readonly config: LoopWsConfig,
    private readonly logger: SampledLogger,
    private readonly last: string,
    private readonly receive: (channel: string, message: Buffer) => void,
    private readonly givenUp: (channel: string) => void,
  ) {}

  /** Whether every channel of the table is subscribed, as far as anybody can know without asking. */
  get isComplete(): boolean {
    return this.complete && this.redis.status === 'ready';
  }

  async start(first: readonly string[]): Promise<void> {
    for (const name of first) this.channels.set(name, { confirmedOn: 0, waiting: [] });
    const done = new Promise<void>((resolve, reject) => {
      this.firstComplete = resolve;
      this.fail = reject;
    });
    this.redis.on('error', (error) => {
      this.lastError = error;
      this.logger.warn('redis sub', 'The subscribed connection to Redis has a problem', error);
    });
    this.redis.on('messageBuffer', (channel, message) => this.receive(channel.toString(), message));
    this.redis.on('close', () => (this.complete = false));
    this.redis.on('ready', () => void this.subscribeAll());
    await startDriver(this.redis, this.config, () => this.lastError);
    await done;
    const everyMs = Math.max(50, this.config.topicLingerMs / 4);
    this.lingering = setInterval(() => this.giveUpIdle(), everyMs).unref();
  }

  /** Resolves when Redis has confirmed the channels, on a later connection if this one breaks meanwhile. */
  async attach(names: readonly string[]): Promise<void> {
    const waits = names.filter((name) => !this.isConfirmed(name)).map((name) => this.wait(name));
    if (waits.length === 0) return;
    await Promise.all(waits);
  }

  /** The channels may be given up after the linger. */
  detach(names: readonly string[]): void {
    const until = performance.now() + this.config.topicLingerMs;
    for (const name of names) {
      const channel = this.channels.get(name);
      if (channel !== undefined) channel.until = until;
    }
  }

  /** Cuts a connection that is believed dead; a new one follows. */
  renew(): void {
    this.complete = false;
    this.redis.stream?.destroy();
  }

  close(): void {
    clearInterval(this.lingering);
    this.redis.disconnect();
  }

  /** Also keeps a lingering channel. */
  private isConfirmed(name: string): boolean {
    const channel = this.channels.get(name);
    if (channel === undefined) return false;
    channel.until = undefined;
    return channel.confirmedOn > 0 && channel.confirmedOn === this.connection;
  }

  private wait(name: string): Promise<void> {
    const channel = this.channels.get(name) ?? this.add(name);
    return new Promise((resolve, reject) => {
      const { attachTimeoutMs } = this.config;
      const timer = setTimeout(() => {
        const message = `Redis did not confirm a subscription within ${attachTimeoutMs} ms.`;
        reject(new LoopTransportError('unavailable', message));
      }, attachTimeoutMs);
      channel.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private add(name: string): Channel {
    const channel: Channel = { confirmedOn: 0, waiting: [] };
    this.channels.set(name, channel);
    if (this.fresh.length === 0) setImmediate(() => void this.subscribeFresh());
    this.fresh.push(name);
    return channel;
  }

  private async subscribeFresh(): Promise<void> {
    const names = this.fresh;
    this.fresh = [];
    if (this.redis.status === 'ready') await this.subscribe(names, this.connection);
  }

  private async subscribeAll(): Promise<void> {
    const connection = ++this.connection;
    const names = [...this.channels.keys()];
    if (!(await this.subscribe(names, connection))) return;
    if (!(await this.subscribe([this.last], connection))) return;
    this.complete = true;
    this.firstComplete();
  }

  /** False when the connection broke: its successor subscribes the whole table. */
  private async subscribe(names: readonly string[], connection: number): Promise<boolean> {
    for (let at = 0; at < names.length; at += CHUNK) {
      const chunk = names.slice(at, at + CHUNK);
      try {
        await this.redis.subscribe(...chunk);
      } catch (error) {
        if (connection === this.connection) this.failed(error as Error);
        return false;
      }
      if (connection !== this.connection) return false;
      for (const name of chunk) this.confirm(name, connection);
    }
    return true;
  }

  private confirm(name: string, connection: number): void {
    const channel = this.channels.get(name);
    if (channel === undefined) return;
    channel.confirmedOn = connection;
    const { waiting } = channel;
    channel.waiting = [];
    for (const done of waiting) done();
  }

  /** A connection on which a subscription failed is of no use, be it that Redis refused or that it did not answer. */
  private failed(error: Error): void {
    this.logger.warn('subscribe', 'Redis did not take a subscription', error);
    this.fail(error);
    this.renew();
  }

  private giveUpIdle(): void {
    if (this.redis.status !== 'ready') return;
    const now = performance.now();
    const idle = [...this.channels]
      .filter(([, { until }]) => until !== undefined && until <= now)
      .map(([name]) => name);
    for (const name of idle) {
      this.channels.delete(name);
      this.givenUp(name);
    }
    for (let at = 0; at < idle.length; at += CHUNK) {
      this.redis.unsubscribe(...idle.slice(at, at + CHUNK)).catch(() => {});
    }
  }
}
