import type { RedisBackbone } from '../../redis/redis-backbone.js';

/**
 * Counts the processes that cannot hear a message sent in this turn of the event loop. The number of subscribers that
 * Redis reports for a topic proves nothing about a process whose subscribed connection is just broken; the number of
 * subscribers of the channel that each process takes last does.
 */
export class RollCall {
  private current: Promise<number> | undefined;

  constructor(private readonly backbone: RedisBackbone) {}

  /** Call it after the publish, and in the same turn. */
  missing(): Promise<number> {
    if (this.current === undefined) {
      // After the publishes of this turn: the reply tells who was there when they were made, or later.
      this.current = new Promise((resolve, reject) => {
        setImmediate(() => {
          this.current = undefined;
          this.count().then(resolve, reject);
        });
      });
    }
    return this.current;
  }

  private async count(): Promise<number> {
    const { link, keys, membership } = this.backbone;
    const reply = await link.call<[string, number]>('PUBSUB', 'NUMSUB', keys.everyone);
    return Math.max(0, membership.size - reply[1]);
  }
}
