import type { LoopWsConfig } from '../loop-ws.config.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { Membership } from './membership.js';
import { CLASSIC, type PubSub, SHARDED } from './pub-sub.js';
import { createTopology } from './redis-clients.js';
import { RedisKeys } from './redis-keys.js';
import { RedisLink } from './redis-link.js';
import type { RedisSource } from './redis.options.js';
import { asBootError } from './start-driver.js';
import type { Topology } from './topology.js';

/** What the transport and the presence store of one process share. The first to start opens it, the last closes it. */
export class RedisBackbone {
  readonly pubSub: PubSub;
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
    const topology = await createTopology(source, config, logger);
    return new RedisBackbone(topology, namespace, config, logger);
  }

  private constructor(
    readonly topology: Topology,
    namespace: string,
    readonly config: LoopWsConfig,
    readonly logger: SampledLogger,
  ) {
    this.pubSub = topology.isSharded ? SHARDED : CLASSIC;
    this.keys = new RedisKeys(namespace, config.redisPartitions, topology.isSharded);
    this.link = new RedisLink(topology, config, logger);
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
    try {
      await this.link.start();
      await this.membership.start();
    } catch (error) {
      this.link.close();
      throw asBootError(error);
    }
  }
}
