import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { notConnected } from '../../redis/not-connected.js';
import { atTurnEnd } from '../../util/turn-end.js';
import type { Topic } from '../topic.js';
import { encodeHeader, encodeLetter, type Letter } from './envelope.codec.js';
import type { EnvelopeSender } from './envelope-sender.js';
import { FloodGauge } from './flood-gauge.js';
import { OutgoingEnvelope, type Published } from './outgoing-envelope.js';
import { NO_PLACE } from './placed-bytes.js';

/**
 * Publishes letters in the order of the calls. The letters of one turn of the event loop are sent together; in a flood,
 * all letters within `redisGatherMs` are. Only consecutive letters for the same Redis channel share an envelope, so
 * that all letters of a shard keep their order.
 */
export class Publisher {
  private readonly header: Buffer;
  private readonly gauge = new FloodGauge();
  /** What has not been sent yet, by shard. */
  private waiting = new Map<number, OutgoingEnvelope[]>();
  private flushedAt = -Infinity;
  private gathering: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly backbone: RedisBackbone,
    private readonly sender: EnvelopeSender,
    processId: string,
  ) {
    this.header = encodeHeader(processId, NO_PLACE);
  }

  /**
   * Resolves when Redis has published the letter. Rejects with a `LoopTransportError`, or with the error from Redis.
   *
   * @param isCounted Whether to count the processes that could not hear it.
   */
  async publish(topic: Topic, letter: Letter, isCounted: boolean): Promise<Published> {
    const { keys, link } = this.backbone;
    const channel = keys.channelOf(topic);
    if (!link.reaches(channel)) throw notConnected();
    const bytes = encodeLetter(letter);
    return link.window.hold(bytes.length, () => {
      const envelope = this.envelopeFor(keys.shardOf(topic), channel);
      envelope.add(bytes, isCounted);
      return envelope.published;
    });
  }

  /** Immediately sends what is waiting for one shard. */
  flush(shard: number): void {
    const envelopes = this.waiting.get(shard);
    this.waiting.delete(shard);
    if (envelopes !== undefined) this.sender.send(shard, envelopes);
  }

  flushAll(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    this.flushedAt = performance.now();
    const { waiting } = this;
    this.waiting = new Map();
    for (const [shard, envelopes] of waiting) this.sender.send(shard, envelopes);
  }

  private flushWhenDue(): void {
    if (this.waiting.size === 0 || this.gathering !== undefined) return;
    const now = performance.now();
    const dueAt = this.flushedAt + this.backbone.config.redisGatherMs;
    if (!this.gauge.measure(now) || now >= dueAt) this.flushAll();
    else this.gathering = setTimeout(() => this.flushAll(), dueAt - now);
  }

  private envelopeFor(shard: number, channel: string): OutgoingEnvelope {
    if (this.waiting.size === 0) atTurnEnd(() => this.flushWhenDue());
    this.gauge.note();
    const envelopes = this.waiting.get(shard) ?? [];
    this.waiting.set(shard, envelopes);
    const last = envelopes.at(-1);
    if (last?.takes(channel)) return last;
    const envelope = new OutgoingEnvelope(channel, this.header);
    envelopes.push(envelope);
    return envelope;
  }
}
