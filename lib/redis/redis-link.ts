import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopTransportError, LoopWsBootError } from '../loop-ws.errors.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { within } from '../util/within.js';
import type { RedisDriver } from './driver.js';
import type { RedisScript } from './redis-script.js';

type Argument = string | Buffer | number;

const RETRY_MS = 20;

/**
 * The connection for commands. Everything of one turn of the event loop leaves in one write; what may wait for Redis is
 * bounded; nothing is queued while there is no connection, and nothing is sent twice.
 */
export class RedisLink {
  private inFlight = 0;
  private inFlightBytes = 0;
  private corked: Socket | undefined;
  private readonly upListeners: (() => void)[] = [];
  private lastError: Error | undefined;

  constructor(
    private readonly redis: RedisDriver,
    private readonly config: LoopWsConfig,
    private readonly logger: SampledLogger,
  ) {}

  /** Whether a command would be sent right now. It may still fail. */
  get isUp(): boolean {
    return this.redis.status === 'ready';
  }

  /** Called after each connection, the first one included if it is still to come. */
  onUp(listener: () => void): void {
    this.upListeners.push(listener);
  }

  /** Resolves when connected. Rejects with a {@link LoopWsBootError} when Redis refuses, or is not there in time. */
  async start(): Promise<void> {
    this.redis.on('error', (error) => {
      this.lastError = error;
      this.logger.warn('redis', 'The connection to Redis has a problem', error);
    });
    this.redis.on('ready', () => this.upListeners.forEach((listener) => listener()));
    await startDriver(this.redis, this.config, () => this.lastError);
  }

  /** Waits out a short outage. Rejects with a {@link LoopTransportError} when it is longer than `ms`. */
  async untilUp(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (!this.isUp && performance.now() < until) await delay(RETRY_MS);
    this.requireUp();
  }

  /** Runs a script; `keys` share one hash tag. Rejects with a {@link LoopTransportError}, or with the error of Redis. */
  async run<Result>(
    script: RedisScript,
    keys: readonly string[],
    args: readonly Argument[],
  ): Promise<Result> {
    const rest = [keys.length, ...keys, ...args];
    try {
      return await this.call<Result>('EVALSHA', script.sha, ...rest);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return this.call<Result>('EVAL', script.source, ...rest);
    }
  }

  /** Sends one command. It is on its way, in the order of the calls, when this returns. */
  async call<Result>(command: string, ...args: Argument[]): Promise<Result> {
    const bytes = sizeOf(args);
    this.requireUp();
    this.requireRoom(bytes);
    this.inFlight++;
    this.inFlightBytes += bytes;
    this.cork();
    try {
      return (await this.redis.call(command, ...args)) as Result;
    } catch (error) {
      throw this.translated(error as Error);
    } finally {
      this.inFlight--;
      this.inFlightBytes -= bytes;
    }
  }

  /** Cuts a connection that is believed dead; a new one follows. */
  renew(): void {
    this.redis.stream?.destroy();
  }

  close(): void {
    this.uncork();
    this.redis.disconnect();
  }

  private requireUp(): void {
    if (this.isUp) return;
    throw new LoopTransportError('unavailable', 'There is no connection to Redis.', {
      cause: this.lastError,
    });
  }

  private requireRoom(bytes: number): void {
    const { redisMaxInFlight, redisMaxInFlightBytes } = this.config;
    if (this.inFlight < redisMaxInFlight && this.inFlightBytes + bytes <= redisMaxInFlightBytes)
      return;
    throw new LoopTransportError(
      'backpressure',
      `${this.inFlight} commands with ${this.inFlightBytes} bytes wait for Redis already. Publish slower, or raise ` +
        'config.redisMaxInFlight or config.redisMaxInFlightBytes.',
    );
  }

  private cork(): void {
    const { stream } = this.redis;
    if (this.corked !== undefined || stream === undefined) return;
    this.corked = stream;
    stream.cork();
    setImmediate(() => this.uncork());
  }

  private uncork(): void {
    this.corked?.uncork();
    this.corked = undefined;
  }

  private translated(error: Error): Error {
    if (error.message === 'Command timed out') {
      const { redisCommandTimeoutMs } = this.config;
      const message = `Redis did not answer within ${redisCommandTimeoutMs} ms.`;
      return new LoopTransportError('timeout', message, { cause: error });
    }
    if (error.name === 'ReplyError') return error;
    return new LoopTransportError('unavailable', `Redis is not reached: ${error.message}`, {
      cause: error,
    });
  }
}

function sizeOf(args: readonly Argument[]): number {
  return args.reduce<number>((sum, arg) => sum + (typeof arg === 'number' ? 8 : arg.length), 0);
}

/** Resolves when the driver is ready, however often it has to try. What no retry can mend is told at once. */
export function startDriver(
  redis: RedisDriver,
  { redisConnectTimeoutMs }: LoopWsConfig,
  lastError: () => Error | undefined,
): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    redis.on('ready', resolve);
    redis.on('error', (error) => {
      if (isFinal(error)) reject(notReached(error.message));
    });
    redis.connect().catch(() => {}); // what went wrong is an error event, and is tried again
  });
  const started = within(ready, redisConnectTimeoutMs, () => {
    throw notReached(`${lastError()?.message ?? 'no answer'} within ${redisConnectTimeoutMs} ms`);
  });
  return started.catch((error: unknown) => {
    redis.disconnect();
    throw error;
  });
}

function isFinal({ message }: Error): boolean {
  return /^(?:WRONGPASS|NOAUTH|NOPERM|ERR (?:invalid password|AUTH|DB index|invalid DB))/i.test(
    message,
  );
}

export function notReached(why: string): LoopWsBootError {
  return new LoopWsBootError(
    `LoopWs: Redis of option "redis" cannot be used: ${why}. Check its address, credentials and rights; the rights that ` +
      'are needed are in docs/operations.md.',
  );
}
