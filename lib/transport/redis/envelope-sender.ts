import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { batchesOf } from '../../util/chunks.js';
import type { OutgoingEnvelope, Published } from './outgoing-envelope.js';
import { PUBLISH_ALL } from './publish.script.js';
import type { RollCall } from './roll-call.js';

/**
 * What one script publishes at most. Bounds how long it keeps Redis busy: about a microsecond for an envelope of some
 * hundred bytes that one process receives.
 */
const OF_ONE_SCRIPT = { count: 64, bytes: 262_144 };

/** Sends envelopes, several of them by one script, and tells each what became of it. */
export class EnvelopeSender {
  constructor(
    private readonly backbone: RedisBackbone,
    private readonly rollCall: RollCall,
  ) {}

  /** They are on their way, in this order, when this returns. All are for channels of the shard. */
  send(shard: number, envelopes: readonly OutgoingEnvelope[]): void {
    for (const batch of batchesOf(envelopes, OF_ONE_SCRIPT)) void this.sendBatch(shard, batch);
  }

  /** Never rejects. */
  private async sendBatch(shard: number, batch: readonly OutgoingEnvelope[]): Promise<void> {
    try {
      const [first] = batch;
      const isBare = batch.length === 1 && !first!.isCounted;
      const published = isBare ? [await this.publish(first!)] : await this.publishAll(shard, batch);
      for (const [at, { resolve }] of batch.entries()) resolve(published[at]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private async publish(envelope: OutgoingEnvelope): Promise<Published> {
    const { link, pubSub } = this.backbone;
    const { channel } = envelope;
    const args = [channel, envelope.finish()];
    return { receivers: await link.send<number>(channel, pubSub.publish, args), missing: 0 };
  }

  /** Sent whole each time: by its digest alone it might have to be sent once more, and fall behind a later one. */
  private async publishAll(
    shard: number,
    batch: readonly OutgoingEnvelope[],
  ): Promise<readonly Published[]> {
    const { link, pubSub, keys } = this.backbone;
    const everyone = keys.everyoneOf(shard);
    const args = [PUBLISH_ALL, 0, pubSub.count, pubSub.publish, everyone];
    const envelopes = batch.flatMap((envelope) => [envelope.channel, envelope.finish()]);
    const missingOf = this.rollCall.begin(everyone);
    const [hearing, ...receivers] = await link.send<[number, ...number[]]>(everyone, 'EVAL', [
      ...args,
      ...envelopes,
    ]);
    const missing = missingOf(hearing);
    return receivers.map((count) => ({ receivers: count, missing }));
  }
}
