import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { LoopWsConfigChanges } from '../../lib/loop-ws.config.js';
import { resolveConfig } from '../../lib/loop-ws.config-reader.js';
import type { PresenceRegistration } from '../../lib/presence/presence-store.js';
import { RedisPresenceStore } from '../../lib/presence/redis/redis.presence-store.js';
import { RedisBackbone } from '../../lib/redis/redis-backbone.js';
import { SampledLogger } from '../../lib/util/sampled-logger.js';
import { QUICK } from './fault-test.js';

export interface PresenceNodeOptions {
  readonly serverId?: string;
  readonly config?: LoopWsConfigChanges;
}

Logger.overrideLogger(false); // what is wrong with Redis is what these tests make

const running = new Set<PresenceNode>();

/** Presence of one server without the server: a store and its connection to Redis. */
export class PresenceNode {
  private constructor(
    readonly store: RedisPresenceStore,
    readonly backbone: RedisBackbone,
    private readonly serverId: string,
    private readonly edges: string[],
  ) {}

  static async start(
    redis: string,
    edges: string[],
    options?: PresenceNodeOptions,
  ): Promise<PresenceNode> {
    const node = await PresenceNode.prepare(redis, edges, options);
    await node.start();
    return node;
  }

  /** Not started. Edges that it reports are added to `edges`. */
  static async prepare(
    redis: string,
    edges: string[],
    { serverId = 'server', config: changes = {} }: PresenceNodeOptions = {},
  ): Promise<PresenceNode> {
    const config = resolveConfig({ ...QUICK, presenceGraceMs: 0, logSampleMs: 1, ...changes });
    const backbone = await RedisBackbone.create(redis, 'lw', config, new SampledLogger(config));
    return new PresenceNode(new RedisPresenceStore(backbone), backbone, serverId, edges);
  }

  async start(): Promise<void> {
    running.add(this);
    await this.store.start({
      serverId: this.serverId,
      graceMs: this.backbone.config.presenceGraceMs,
      edges: {
        offline: (account) => this.edges.push(`-${account}`),
        online: (account) => this.edges.push(`+${account}`),
      },
    });
  }

  async register(accountId: string, connectionId = 'c'): Promise<PresenceRegistration> {
    const registration = this.registrationOf(accountId, connectionId);
    const { cameOnline } = await this.store.register(registration);
    if (cameOnline) this.edges.push(`+${accountId}`);
    return registration;
  }

  registrationOf(accountId: string, connectionId = 'c'): PresenceRegistration {
    return { accountId, connectionId, serverId: this.serverId, registration: randomUUID() };
  }

  /** As a process that is killed: Redis hears nothing of it any more. */
  die(): void {
    this.backbone.link.close();
  }

  async close(): Promise<void> {
    if (running.delete(this)) await this.store.close();
  }
}

export async function closePresenceNodes(): Promise<void> {
  await Promise.all([...running].map((node) => node.close()));
}
