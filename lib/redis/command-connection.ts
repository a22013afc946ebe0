import type { Socket } from 'node:net';
import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopTransportError } from '../loop-ws.errors.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { atTurnEnd } from '../util/turn-end.js';
import type { RedisDriver } from './driver.js';
import { startDriver } from './start-driver.js';
import { notConnected } from './not-connected.js';

export type RedisArgument = string | Buffer | number;

/** How strings in a reply are returned: `bytes` for replies with strings that are not UTF-8. */
export type ReplyForm = 'text' | 'bytes';

/**
 * A connection for commands to one server. Commands of one turn of the event loop share one write, and those sent at
 * its end another. Nothing is queued while there is no connection, and nothing is sent twice.
 */
export class CommandConnection {
  private corked: Socket | undefined;
  private lastError: Error | undefined;

  constructor(
    private readonly redis: RedisDriver,
    private readonly config: LoopWsConfig,
    logger: SampledLogger,
    up: () => void,
  ) {
    redis.on('error', (error) => {
      this.lastError = error;
      logger.warn('redis', 'The connection to Redis has a problem', error);
    });
    redis.on('ready', up);
  }

  /** Whether a command would be sent right now. It may still fail. */
  get isUp(): boolean {
    return this.redis.status === 'ready';
  }

  /** Resolves when connected. Rejects with a `LoopWsBootError` when Redis refuses, or cannot be reached in time. */
  start(): Promise<void> {
    return startDriver(this.redis, this.config);
  }

  /** Connects as soon as the server can be reached. */
  startInBackground(): void {
    this.redis.connect().catch(() => {}); // a failure is also an error event, and is retried
  }

  /**
   * Sends one command. When this returns, the command is on its way, in the order of the calls. Rejects with a
   * {@link LoopTransportError} when it cannot be sent or Redis does not answer, or with the error from Redis.
   */
  async call(
    command: string,
    args: readonly RedisArgument[],
    as: ReplyForm = 'text',
  ): Promise<unknown> {
    if (!this.isUp) throw notConnected({ cause: this.lastError });
    this.cork();
    try {
      return await (as === 'text'
        ? this.redis.call(command, ...args)
        : this.redis.callBuffer(command, ...args));
    } catch (error) {
      throw this.translated(error as Error);
    }
  }

  /** Closes a connection that seems dead. A new one is made. */
  renew(): void {
    this.redis.stream?.destroy();
  }

  close(): void {
    this.uncork();
    this.redis.disconnect();
  }

  private cork(): void {
    const { stream } = this.redis;
    if (this.corked !== undefined || stream === undefined) return;
    this.corked = stream;
    stream.cork();
    atTurnEnd(() => this.uncork());
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
    return new LoopTransportError('unavailable', `Redis cannot be reached: ${error.message}`, {
      cause: error,
    });
  }
}
