import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { chunksOf } from '../../util/chunks.js';
import { EnvelopeWriter, type Letter } from './envelope.codec.js';
import { FloodGauge } from './flood-gauge.js';
import { NO_PLACE } from './placed-bytes.js';
import { PUBLISH_ALL } from './publish.script.js';
import type { RollCall } from './roll-call.js';

/** An envelope takes no more letters when it has so many bytes. Bounds how long reading it keeps an event loop busy. */
const FULL_BYTES = 65_536;

/** Bounds how long one script keeps Redis busy: about a microsecond for each envelope. */
const MOST_AT_ONCE = 64;

/** What is known of messages that were sent. */
export interface Published {
  /** How many processes Redis has handed them to. */
  readonly receivers: number;
  /** How many may have been meant and could not hear them; 0 when that was not counted. */
  readonly missing: number;
}

/** Letters for one channel. They travel in one envelope, and what becomes of it becomes of them. */
class Parcel {
  isCounted = false;
  readonly published: Promise<Published>;
  resolve!: (published: Published) => void;
  reject!: (error: unknown) => void;
  private readonly writer: EnvelopeWriter;

  constructor(
    readonly channel: string,
    processId: string,
  ) {
    this.writer = new EnvelopeWriter(processId, NO_PLACE);
    this.published = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  get isFull(): boolean {
    return this.writer.length >= FULL_BYTES;
  }

  add(letter: Letter, isCounted: boolean): void {
    this.writer.add(letter);
    this.isCounted ||= isCounted;
  }

  finish(): Buffer {
    return this.writer.finish();
  }
}

/**
 * Publishes the messages of one shard. Those of one turn of the event loop leave together, and in a flood those of
 * `redisGatherMs`. Of these the ones that follow one another on one channel leave as one; only those, so that all keep
 * the order of their calls.
 */
export class PublishLane {
  private readonly gauge = new FloodGauge();
  private parcels: Parcel[] = [];
  private flushedAt = -Infinity;
  private gathering: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly backbone: RedisBackbone,
    private readonly rollCall: RollCall,
    private readonly processId: string,
    private readonly shard: number,
  ) {}

  publish(channel: string, letter: Letter, isCounted: boolean): Promise<Published> {
    if (this.parcels.length === 0) setImmediate(() => this.flushWhenDue());
    this.gauge.note();
    const parcel = this.parcelFor(channel);
    parcel.add(letter, isCounted);
    return parcel.published;
  }

  flush(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    const { parcels } = this;
    if (parcels.length === 0) return;
    this.parcels = [];
    this.flushedAt = performance.now();
    for (const batch of chunksOf(parcels, MOST_AT_ONCE)) void this.send(batch);
  }

  private flushWhenDue(): void {
    if (this.parcels.length === 0) return; // somebody could not wait
    const now = performance.now();
    const dueAt = this.flushedAt + this.backbone.config.redisGatherMs;
    if (!this.gauge.isFlood(now) || now >= dueAt) return this.flush();
    this.gathering ??= setTimeout(() => this.flush(), dueAt - now);
  }

  private parcelFor(channel: string): Parcel {
    const last = this.parcels.at(-1);
    if (last !== undefined && last.channel === channel && !last.isFull) return last;
    const parcel = new Parcel(channel, this.processId);
    this.parcels.push(parcel);
    return parcel;
  }

  /** Never rejects. */
  private async send(batch: readonly Parcel[]): Promise<void> {
    try {
      const published = await this.publishAll(batch);
      for (const [at, { resolve }] of batch.entries()) resolve(published[at]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** Sent whole each time: by its digest alone it might have to be sent once more, and fall behind a later one. */
  private async publishAll(batch: readonly Parcel[]): Promise<readonly Published[]> {
    const { link, pubSub, keys } = this.backbone;
    const envelopes = batch.flatMap((parcel) => [parcel.channel, parcel.finish()]);
    if (batch.length === 1 && !batch[0]!.isCounted) {
      const receivers = await link.sendAnyway<number>(batch[0]!.channel, pubSub.publish, envelopes);
      return [{ receivers, missing: 0 }];
    }
    const everyone = keys.everyoneOf(this.shard);
    const missingOf = this.rollCall.begin(everyone);
    const [hearing, ...receivers] = await link.sendAnyway<[number, ...number[]]>(everyone, 'EVAL', [
      PUBLISH_ALL,
      1,
      everyone,
      pubSub.count,
      pubSub.publish,
      ...envelopes,
    ]);
    const missing = missingOf(hearing);
    return receivers.map((count) => ({ receivers: count, missing }));
  }
}
