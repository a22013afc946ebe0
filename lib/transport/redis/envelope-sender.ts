import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { batchesOf } from '../../util/chunks.js';
import { settleEach } from '../../util/settle-each.js';
import type { OutgoingEnvelope, Published } from './outgoing-envelope.js';
import { PUBLISH_ALL } from './publish.script.js';
import type { RollCall } from './roll-call.js';
import { SCRIPT_LIMITS } from './script-bounds.js';

/** Sends envelopes, several per script, and settles each with its outcome. */
export class EnvelopeSender {
  constructor(
    private readonly backbone: RedisBackbone,
    private readonly rollCall: RollCall,
  ) {}

  /** When this returns, the envelopes are on their way in this order. All must be for channels of the shard. */
  send(shard: number, envelopes: readonly OutgoingEnvelope[]): void {
    for (const batch of batchesOf(envelopes, SCRIPT_LIMITS, ({ length }) => length)) {
      void settleEach(batch, () => this.sendBatch(shard, batch));
    }
  }

  private async sendBatch(
    shard: number,
    batch: readonly OutgoingEnvelope[],
  ): Promise<readonly Published[]> {
    const [first] = batch;
    const isBare = batch.length === 1 && !first!.isCounted;
    return isBare ? [await this.publish(first!)] : this.publishAll(shard, batch);
  }

  private async publish(envelope: OutgoingEnvelope): Promise<Published> {
    const { link, pubSub } = this.backbone;
    const { channel } = envelope;
    const args = [channel, envelope.finish()];
    return { receivers: await link.send<number>(channel, pubSub.publish, args), missing: 0 };
  }

  /**
   * Always sends the script's source. Sent by its digest, it might need a resend, which a later script could overtake.
   */
  private async publishAll(
    shard: number,
    batch: readonly OutgoingEnvelope[],
  ): Promise<readonly Published[]> {
    const { link, pubSub, keys } = this.backbone;
    const everyone = keys.rollCallChannelOf(shard);
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
