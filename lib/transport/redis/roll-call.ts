import type { RedisBackbone } from '../../redis/redis-backbone.js';

/**
 * Counts the processes that cannot hear a message sent in this turn of the event loop. The number of subscribers that
 * Redis reports for a topic proves nothing about a process whose subscribed connection is just broken; the number of
 * subscribers of the channel that each process takes last does.
 */
export class RollCall {
  /** The calls of this turn by that channel. */
  private readonly current = new Map<string, Promise<number>>();

  constructor(
    private readonly backbone: RedisBackbone,
    /** Whether this process knows every other that must be subscribed to the channel. */
    private readonly isSure: (everyone: string) => boolean,
  ) {}

  /** Call it before the publish, and in the same turn. `everyone` is the channel that belongs to the topic. */
  missing(everyone: string): Promise<number> {
    const current = this.current.get(everyone);
    if (current !== undefined) return current;
    const missing = this.take(everyone);
    this.current.set(everyone, missing);
    return missing;
  }

  /**
   * Before the publishes of this turn and after them: who comes back in between is in the second count only, who breaks
   * away is in the first only, and neither heard them. More than there should be are processes unknown here, or
   * connections of which Redis does not know that they are dead; behind each of them one may hide that is missing.
   */
  private async take(everyone: string): Promise<number> {
    const wasSure = this.isSure(everyone);
    const counts = await Promise.all([this.count(everyone), this.countAfterThisTurn(everyone)]);
    const { size } = this.backbone.membership;
    const isProven = wasSure && this.isSure(everyone) && Math.max(...counts) <= size;
    return Math.max(size - Math.min(...counts), isProven ? 0 : 1);
  }

  private countAfterThisTurn(everyone: string): Promise<number> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        this.current.delete(everyone);
        this.count(everyone).then(resolve, reject);
      });
    });
  }

  private async count(everyone: string): Promise<number> {
    const { link, pubSub } = this.backbone;
    const args = [pubSub.count, everyone];
    const [, hearing] = await link.sendAnyway<[string, number]>(everyone, 'PUBSUB', args);
    return hearing;
  }
}
