import { Injectable } from '@nestjs/common';
import { LoopTransport } from './loop-transport.js';
import { type Topic, topicKey } from './topic.js';

interface Held {
  holders: number;
  attached: Promise<void>;
}

/**
 * Which topics this server has a receiver for. Counts the holders of each, so that the transport hears of the first
 * and of the last one only.
 */
@Injectable()
export class TopicInterest {
  private readonly held = new Map<string, Held>();

  constructor(private readonly transport: LoopTransport) {}

  /** Resolves when messages on all these topics arrive here. Each call is undone by one `release`, even if it rejects. */
  async retain(topics: readonly Topic[]): Promise<void> {
    const fresh = topics.filter((topic) => !this.held.has(topicKey(topic)));
    const attaching = fresh.length > 0 ? this.transport.attach(fresh) : Promise.resolve();
    await Promise.all(topics.map((topic) => this.hold(topic, attaching)));
  }

  release(topics: readonly Topic[]): void {
    const last = topics.filter((topic) => this.letGo(topic));
    if (last.length > 0) this.transport.detach(last);
  }

  private hold(topic: Topic, attaching: Promise<void>): Promise<void> {
    const key = topicKey(topic);
    const held = this.held.get(key) ?? { holders: 0, attached: attaching };
    held.holders++;
    this.held.set(key, held);
    return held.attached;
  }

  private letGo(topic: Topic): boolean {
    const key = topicKey(topic);
    const held = this.held.get(key);
    if (held === undefined || --held.holders > 0) return false;
    return this.held.delete(key);
  }
}
