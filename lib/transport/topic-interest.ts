import { Injectable } from '@nestjs/common';
import { DurableTopics } from '../history/durable-topics.js';
import { LoopTransport } from './loop-transport.js';
import type { Topic } from './topic.js';
import { TopicMap } from './topic-map.js';

interface Held {
  holders: number;
  /** Absent until someone tries, and again when that failed, so that the next holder tries anew. */
  attached: Promise<void> | undefined;
}

/** Takes the place of what was waited for, so that one promise is enough for all topics. */
const ATTACHED = Promise.resolve();

/**
 * Which topics this server has a receiver for. Counts the holders of each, so that the transport hears of the first
 * and of the last one only.
 */
@Injectable()
export class TopicInterest {
  private readonly held = new TopicMap<Held>();

  constructor(
    private readonly transport: LoopTransport,
    private readonly durable: DurableTopics,
  ) {}

  /**
   * Resolves when messages on all these topics arrive here; rejects when one of them could not be attached. It counts
   * in any case: each call is undone by exactly one `release`, even if it rejects.
   */
  async retain(topics: readonly Topic[]): Promise<void> {
    const wanted = new Map(topics.map((topic) => [this.hold(topic), topic]));
    const fresh = [...wanted].filter(([{ attached }]) => attached === undefined);
    if (fresh.length > 0) this.attach(new Map(fresh));
    await Promise.all([...wanted.keys()].map(async ({ attached }) => attached));
  }

  /** Resolves when those of the topics that are being attached are; rejects as {@link retain} does. */
  async attached(topics: readonly Topic[]): Promise<void> {
    await Promise.all(topics.map(async (topic) => this.held.get(topic)?.attached));
  }

  release(topics: readonly Topic[]): void {
    const last = topics.filter((topic) => this.letGo(topic));
    if (last.length === 0) return;
    this.durable.forget(last);
    this.transport.detach(last);
  }

  private hold(topic: Topic): Held {
    const held = this.held.get(topic) ?? { holders: 0, attached: undefined };
    held.holders++;
    this.held.set(topic, held);
    return held;
  }

  private attach(fresh: ReadonlyMap<Held, Topic>): void {
    const attached = this.transport.attach([...fresh.values()]).then(() => {
      // Who wanted it may have left meanwhile, and somebody else may follow it already.
      const stillHeld = [...fresh].filter(([held, topic]) => this.held.get(topic) === held);
      return this.durable.follow(stillHeld.map(([, topic]) => topic));
    });
    const become = (state: Held['attached']): void => {
      for (const held of fresh.keys()) held.attached = state;
    };
    become(attached);
    attached.then(
      () => become(ATTACHED),
      () => become(undefined),
    );
  }

  private letGo(topic: Topic): boolean {
    const held = this.held.get(topic);
    if (held === undefined || --held.holders > 0) return false;
    return this.held.delete(topic);
  }
}
