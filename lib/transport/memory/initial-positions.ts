import { createHmac, randomBytes } from 'node:crypto';
import type { Position } from '../position.js';
import { type Topic, topicKey } from '../topic.js';

/** Take 512 KiB together. The more buckets there are, the fewer topics share one. */
const BUCKETS = 65_536;

/** More than are pushed on one topic in a second. */
const NUMBERS_PER_SECOND = 2 ** 20;

/**
 * The positions at which histories begin. The position of a topic is computed, always with the same result, so a topic
 * on which nothing was pushed takes no memory. Once pushes on a topic have been forgotten, it must begin at another
 * position; otherwise, a position from before these pushes would look as if nothing had followed it. To bound memory,
 * this is remembered per bucket, not per topic. The other topics of the bucket then begin elsewhere as well, and clients
 * that return to them are told to reload.
 */
export class InitialPositions {
  private readonly secret = randomBytes(32);
  /** A number that no earlier run of this process can have reached. */
  private readonly first = Math.floor((Date.now() / 1_000) * NUMBERS_PER_SECOND);
  /** Absent until something is forgotten. */
  private numbers: Float64Array | undefined;
  private readonly startedAt: number;

  constructor(private readonly now: () => number) {
    this.startedAt = now();
  }

  of(topic: Topic): Position {
    const n = this.numbers?.[this.bucketOf(topic)] ?? this.first;
    return { n, id: this.digest(`${n} ${topicKey(topic)}`).toString('base64url', 0, 9) };
  }

  /** Call it when the pushes on the topic are forgotten. */
  renew(topic: Topic): void {
    const seconds = (this.now() - this.startedAt) / 1_000;
    this.numbers ??= new Float64Array(BUCKETS).fill(this.first);
    this.numbers[this.bucketOf(topic)] = this.first + Math.floor(seconds * NUMBERS_PER_SECOND);
  }

  private bucketOf(topic: Topic): number {
    return this.digest(topicKey(topic)).readUInt16BE();
  }

  private digest(text: string): Buffer {
    return createHmac('sha256', this.secret).update(text).digest();
  }
}
