import { Injectable } from '@nestjs/common';
import { DurableTopics } from '../history/durable-topics.js';
import { LoopTransport } from './loop-transport.js';
import { type Topic, topicKey } from './topic.js';

interface Held {
  readonly topic: Topic;
  holders: number;
  /** Absent until someone tries, and again when that failed, so that the next holder tries anew. */
  attached?: Promise<void> | undefined;
}

/**
 * Which topics this server has a receiver for. Counts the holders of each, so that the transport hears of the first
 * and of the last one only.
 */
@Injectable()
export class TopicInterest {
  private readonly held = new Map<string, Held>();

  constructor(
    private readonly transport: LoopTransport,
    private readonly durable: DurableTopics,
  ) {}

  /**
   * Resolves when messages on all these topics arrive here; rejects when one of them could not be attached. It counts
   * in any case: each call is undone by exactly one `release`, even if it rejects.
   */
  async retain(topics: readonly Topic[]): Promise<void> {
    const wanted = [...new Set(topics.map((topic) => this.hold(topic)))];
    const fresh = wanted.filter(({ attached }) => attached === undefined);
    if (fresh.length > 0) this.attach(fresh);
    await Promise.all(wanted.map(async ({ attached }) => attached));
  }

  /** Resolves when those of the topics that are being attached are; rejects as {@link retain} does. */
  async attached(topics: readonly Topic[]): Promise<void> {
    await Promise.all(topics.map(async (topic) => this.held.get(topicKey(topic))?.attached));
  }

  release(topics: readonly Topic[]): void {
    const last = topics.filter((topic) => this.letGo(topic));
    if (last.length === 0) return;
    this.durable.forget(last);
    this.transport.detach(last);
  }

  private hold(topic: Topic): Held {
    const key = topicKey(topic);
    const held = this.held.get(key) ?? { topic, holders: 0 };
    held.holders++;
    this.held.set(key, held);
    return held;
  }

  private attach(fresh: readonly Held[]): void {
    const topics = fresh.map(({ topic }) => topic);
    const attached = this.transport.attach(topics).then(() => {
      // Who wanted it may have left meanwhile, and somebody else may follow it already.
      const held = fresh.filter((one) => this.held.get(topicKey(one.topic)) === one);
      return this.durable.follow(held.map(({ topic }) => topic));
    });
    for (const held of fresh) held.attached = attached;
    attached.catch(() => {
      for (const held of fresh) held.attached = undefined;
    });
  }

  private letGo(topic: Topic): boolean {
    const key = topicKey(topic);
    const held = this.held.get(key);
    if (held === undefined || --held.holders > 0) return false;
    return this.held.delete(key);
  }
}
