import type { InFlightWindow } from '../../redis/in-flight-window.js';
import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { unreached } from '../../redis/unreached.js';
import type { Topic } from '../topic.js';
import type { TransportMessage } from '../transport-message.js';
import type { Letter } from './envelope.codec.js';
import { PublishLane, type Published } from './publish-lane.js';
import type { RollCall } from './roll-call.js';

/**
 * Publishes messages in the order of the calls, with as few commands and writes as that allows: see {@link PublishLane}.
 */
export class PublishBatches {
  private readonly lanes = new Map<number, PublishLane>();

  constructor(
    private readonly backbone: RedisBackbone,
    private readonly rollCall: RollCall,
    private readonly window: InFlightWindow,
    private readonly processId: string,
  ) {}

  /**
   * Resolves when Redis has it. Rejects with a {@link LoopTransportError}, or with the error of Redis.
   *
   * @param isCounted Whether it has to be known who could not hear it.
   */
  async publish(topic: Topic, letter: Letter, isCounted: boolean): Promise<Published> {
    const { keys, link } = this.backbone;
    const channel = keys.channelOf(topic);
    if (!link.reaches(channel)) throw unreached();
    const bytes = contentLengthOf(letter.message);
    this.window.enter(bytes);
    try {
      return await this.laneOf(keys.shardOf(topic)).publish(channel, letter, isCounted);
    } finally {
      this.window.leave(bytes);
    }
  }

  /** Sends at once what still waits. */
  flush(shard: number): void {
    this.lanes.get(shard)?.flush();
  }

  flushAll(): void {
    for (const lane of this.lanes.values()) lane.flush();
  }

  private laneOf(shard: number): PublishLane {
    const known = this.lanes.get(shard);
    if (known !== undefined) return known;
    const { backbone, rollCall, processId } = this;
    const lane = new PublishLane(backbone, rollCall, processId, shard);
    this.lanes.set(shard, lane);
    return lane;
  }
}

/** What a message costs is its content; the rest is short. */
function contentLengthOf(message: TransportMessage): number {
  if (message.kind === 'push') return Buffer.byteLength(message.frame);
  return message.kind === 'ask' ? Buffer.byteLength(message.data ?? '') : 0;
}
