import type { RedisBackbone } from '../../redis/redis-backbone.js';
import type { PartitionKeys } from '../../redis/redis-keys.js';
import { TAKE_OFFLINE } from './presence.scripts.js';

/** Partitions that one beat looks through for accounts whose server died before their grace had passed. */
const LOOKED_THROUGH_AT_ONCE = 8;

/** Takes accounts whose grace has passed, each on one server of the cluster, and reports them. */
export class OfflineEdges {
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private poll: ReturnType<typeof setInterval> | undefined;
  private next = 0;

  constructor(
    private readonly backbone: RedisBackbone,
    private readonly graceMs: number,
    private readonly report: (accountId: string) => void,
  ) {}

  start(): void {
    const { serverBeatMs } = this.backbone.config;
    this.poll = setInterval(() => void this.lookThrough(), serverBeatMs).unref();
  }

  /** An account of the partition has just left. */
  expect(partition: PartitionKeys): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      void this.take(partition);
    }, this.graceMs + 2).unref();
    this.timers.add(timer);
  }

  async takeAll(everyoneIncluded = false): Promise<void> {
    const { partitions } = this.backbone.keys;
    await Promise.all(partitions.map((partition) => this.take(partition, everyoneIncluded)));
  }

  close(): void {
    clearInterval(this.poll);
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** What could not be taken is found by the next look. */
  private async take({ grace }: PartitionKeys, everyoneIncluded = false): Promise<void> {
    try {
      let accounts: string[];
      do {
        const until = everyoneIncluded ? '+inf' : '';
        accounts = await this.backbone.link.run<string[]>(TAKE_OFFLINE, [grace], [until]);
        for (const accountId of accounts) this.report(accountId);
      } while (accounts.length > 0);
    } catch (error) {
      this.backbone.logger.warn('offline', 'Accounts that went offline could not be read', error);
    }
  }

  private async lookThrough(): Promise<void> {
    const { keys, link } = this.backbone;
    const count = Math.min(LOOKED_THROUGH_AT_ONCE, keys.partitions.length);
    for (let done = 0; done < count; done++) {
      this.next = (this.next + 1) % keys.partitions.length;
      const partition = keys.partitions[this.next]!;
      if (link.reaches(partition.grace)) await this.take(partition);
    }
  }
}
