import type { RedisBackbone } from '../../redis/redis-backbone.js';

/**
 * Counts the processes that cannot hear a message sent in this turn of the event loop. The number of subscribers that
 * Redis reports for a topic proves nothing about a process whose subscribed connection is just broken; the number of
 * subscribers of the channel that each process takes last does.
 */
export class RollCall {
  /** The calls of this turn by that channel. */
  private readonly current = new Map<string, Promise<number>>();

  constructor(private readonly backbone: RedisBackbone) {}

  /** Call it after the publish, and in the same turn. `everyone` is the channel that belongs to the topic. */
  missing(everyone: string): Promise<number> {
    const current = this.current.get(everyone);
    if (current !== undefined) return current;
    // After the publishes of this turn: the reply tells who was there when they were made, or later.
    const missing = new Promise<number>((resolve, reject) => {
      setImmediate(() => {
        this.current.delete(everyone);
        this.count(everyone).then(resolve, reject);
      });
    });
    this.current.set(everyone, missing);
    return missing;
  }

  private async count(everyone: string): Promise<number> {
    const { link, membership, pubSub } = this.backbone;
    const args = [pubSub.count, everyone];
    const [, hearing] = await link.send<[string, number]>(everyone, 'PUBSUB', args);
    return Math.max(0, membership.size - hearing);
  }
}
