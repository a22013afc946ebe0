import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import type { RedisDriver } from './driver.js';
import { Membership } from './membership.js';
import { createClients } from './redis-clients.js';
import { RedisKeys } from './redis-keys.js';
import { notReached, RedisLink } from './redis-link.js';
import type { RedisSource } from './redis.options.js';

/** What the transport and the presence store of one process share. Started by the first of them, closed by the last. */
export class RedisBackbone {
  readonly keys: RedisKeys;
  readonly link: RedisLink;
  readonly membership: Membership;
  private started: Promise<void> | undefined;
  private users = 0;

  static async create(
    source: RedisSource,
    namespace: string,
    config: LoopWsConfig,
    logger: SampledLogger,
  ): Promise<RedisBackbone> {
    const { commands, subscriber } = await createClients(source, config);
    return new RedisBackbone(commands, subscriber, namespace, config, logger);
  }

  private constructor(
    commands: RedisDriver,
    /** Not connected yet: it belongs to the transport. */
    readonly subscriber: RedisDriver,
    namespace: string,
    readonly config: LoopWsConfig,
    readonly logger: SampledLogger,
  ) {
    this.keys = new RedisKeys(namespace, config.redisPartitions);
    this.link = new RedisLink(commands, config, logger);
    this.membership = new Membership(this.link, this.keys, config, logger);
  }

  async start(): Promise<void> {
    this.users++;
    this.started ??= this.open();
    await this.started;
  }

  async close(): Promise<void> {
    if (--this.users > 0) return;
    await this.membership.close();
    this.link.close();
  }

  private async open(): Promise<void> {
    await this.link.start();
    try {
      await this.membership.start();
    } catch (error) {
      this.link.close();
      throw error instanceof LoopWsBootError ? error : notReached((error as Error).message);
    }
  }
}
