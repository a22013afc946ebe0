import type { LoopWsConfig } from '../loop-ws.config.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { startDriver } from './start-driver.js';
import type { ClusterDriver } from './driver.js';
import { slotOf } from './slots.js';
import type { RedisServer, Topology } from './topology.js';

/**
 * The masters of a Redis Cluster. The ioredis Cluster client discovers them and follows their changes. Commands and
 * subscriptions use connections of our own, because the Cluster client resends commands that may have been executed
 * already, and an event would arrive twice.
 */
export class ClusterTopology implements Topology {
  readonly isSharded = true;
  /** By `host:port`. */
  private masters = new Map<string, RedisServer>();
  private owners: readonly (string | undefined)[] = [];
  private readonly listeners: (() => void)[] = [];
  private refreshing: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly cluster: ClusterDriver,
    private readonly connectionOptions: object,
    private readonly config: LoopWsConfig,
    private readonly logger: SampledLogger,
  ) {}

  get servers(): readonly RedisServer[] {
    return [...this.masters.values()];
  }

  async start(): Promise<void> {
    this.cluster.on('refresh', () => this.look());
    this.cluster.on('error', (error) =>
      this.logger.warn('redis cluster', 'The Redis Cluster has a problem', error),
    );
    await startDriver(this.cluster, this.config);
    const everyMs = this.config.redisSlotsRefreshMs;
    this.refreshing = setInterval(() => void this.refresh(), everyMs).unref();
  }

  ownerOf(key: string): RedisServer | undefined {
    return this.masters.get(this.owners[slotOf(key)] ?? '');
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  refresh(): Promise<void> {
    return new Promise((resolve) => this.cluster.refreshSlotsCache(resolve));
  }

  close(): void {
    clearInterval(this.refreshing);
    this.cluster.disconnect();
  }

  private look(): void {
    const owners = Array.from(this.cluster.slots, (servers) => servers?.[0]);
    const isSame =
      owners.length === this.owners.length && owners.every((at, slot) => at === this.owners[slot]);
    if (isSame) return;
    this.owners = owners;
    this.masters = new Map([...new Set(owners)].flatMap((address) => this.serverAt(address)));
    for (const listener of this.listeners) listener();
  }

  /** A server that is already known stays the same object, so that the connections to it stay. */
  private serverAt(address: string | undefined): [string, RedisServer][] {
    const node = this.cluster
      .nodes('master')
      .find(({ options }) => `${options.host}:${options.port}` === address);
    if (address === undefined || node === undefined) return [];
    const known = this.masters.get(address);
    return [[address, known ?? { createConnection: () => node.duplicate(this.connectionOptions) }]];
  }
}
