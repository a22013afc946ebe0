import { createHmac, randomBytes } from 'node:crypto';
import type { Position } from '../position.js';
import { type Topic, topicKey } from '../topic.js';

/** 512 KiB. With more of them fewer topics share one. */
const PARTS = 65_536;

/** More than are pushed on one topic in a second. */
const NUMBERS_PER_SECOND = 2 ** 20;

/**
 * Where histories begin. It is told again as it was whenever it is asked for, so that a topic on which nothing was pushed
 * need not be kept. After pushes that were forgotten a topic begins elsewhere, or a position from before them would look
 * as if nothing had followed it. Which topics these are is not remembered: many share a part, and the others of the part
 * begin elsewhere as well, so that who comes back to them is told to reload.
 */
export class MemoryBeginnings {
  private readonly secret = randomBytes(32);
  /** One that an earlier life of this process cannot have reached. */
  private readonly first = Math.floor((Date.now() / 1_000) * NUMBERS_PER_SECOND);
  /** Absent until something is forgotten. */
  private numbers: Float64Array | undefined;
  private readonly startedAt: number;

  constructor(private readonly now: () => number) {
    this.startedAt = now();
  }

  of(topic: Topic): Position {
    const n = this.numbers?.[this.partOf(topic)] ?? this.first;
    return { n, id: this.digest(`${n} ${topicKey(topic)}`).toString('base64url', 0, 9) };
  }

  /** What was pushed on the topic is forgotten. */
  renew(topic: Topic): void {
    const seconds = (this.now() - this.startedAt) / 1_000;
    this.numbers ??= new Float64Array(PARTS).fill(this.first);
    this.numbers[this.partOf(topic)] = this.first + Math.floor(seconds * NUMBERS_PER_SECOND);
  }

  private partOf(topic: Topic): number {
    return this.digest(topicKey(topic)).readUInt16BE();
  }

  private digest(text: string): Buffer {
    return createHmac('sha256', this.secret).update(text).digest();
  }
}
