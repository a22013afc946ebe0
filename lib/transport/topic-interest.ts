import { Injectable } from '@nestjs/common';
import { DurableTopics } from '../history/durable-topics.js';
import { LoopTransport } from './loop-transport.js';
import type { Topic } from './topic.js';
import { TopicMap } from './topic-map.js';

/** The wait before topics that could not be attached are tried again, in milliseconds. */
const RETRY_MS = 500;

interface Held {
  holders: number;
  /** Absent before the first attempt and after a failed one, so that the next holder or the retry tries again. */
  attached: Promise<void> | undefined;
}

/** Replaces the promise of a completed attach, so that all attached topics share one promise. */
const ATTACHED = Promise.resolve();

/**
 * Tracks the topics that this server has receivers for. Counts the holders of each topic, so that the transport is
 * called only for the first holder and the last.
 */
@Injectable()
export class TopicInterest {
  private readonly held = new TopicMap<Held>();
  private closed = false;

  constructor(
    private readonly transport: LoopTransport,
    private readonly durable: DurableTopics,
  ) {}

  /**
   * Resolves when messages on all these topics arrive here; rejects when one of them could not be attached. Each call
   * must be undone by exactly one `release`, even if it rejects; until then, attaching is retried.
   */
  async retain(topics: readonly Topic[]): Promise<void> {
    const wanted = new Map(topics.map((topic) => [this.hold(topic), topic]));
    const fresh = [...wanted].filter(([{ attached }]) => attached === undefined);
    if (fresh.length > 0) this.attach(new Map(fresh));
    await Promise.all([...wanted.keys()].map(async ({ attached }) => attached));
  }

  /** Waits for those of the topics that are being attached. Rejects like {@link retain}. */
  async attached(topics: readonly Topic[]): Promise<void> {
    await Promise.all(topics.map(async (topic) => this.held.get(topic)?.attached));
  }

  release(topics: readonly Topic[]): void {
    const last = topics.filter((topic) => this.letGo(topic));
    if (last.length === 0) return;
    this.durable.forget(last);
    this.transport.detach(last);
  }

  /** Stops retrying to attach the topics that are still held. */
  close(): void {
    this.closed = true;
  }

  private hold(topic: Topic): Held {
    const held = this.held.get(topic) ?? { holders: 0, attached: undefined };
    held.holders++;
    this.held.set(topic, held);
    return held;
  }

  private attach(fresh: ReadonlyMap<Held, Topic>): void {
    const attached = this.transport.attach([...fresh.values()]).then(() => {
      // A topic may have been released meanwhile. If it was retained again, that call follows it.
      return this.durable.follow([...this.stillHeld(fresh).values()]);
    });
    const become = (state: Held['attached']): void => {
      for (const held of fresh.keys()) held.attached = state;
    };
    become(attached);
    attached.then(
      () => become(ATTACHED),
      () => {
        become(undefined);
        setTimeout(() => this.attachAgain(fresh), RETRY_MS).unref();
      },
    );
  }

  /** A holder that stays although attaching failed, such as an observer, would otherwise never receive anything. */
  private attachAgain(failed: ReadonlyMap<Held, Topic>): void {
    if (this.closed) return;
    const open = [...this.stillHeld(failed)].filter(([{ attached }]) => attached === undefined);
    if (open.length > 0) this.attach(new Map(open));
  }

  private stillHeld(some: ReadonlyMap<Held, Topic>): Map<Held, Topic> {
    return new Map([...some].filter(([held, topic]) => this.held.get(topic) === held));
  }

  private letGo(topic: Topic): boolean {
    const held = this.held.get(topic);
    if (held === undefined || --held.holders > 0) return false;
    return this.held.delete(topic);
  }
}
