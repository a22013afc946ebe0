import { setTimeout as delay } from 'node:timers/promises';
import { isNext, isSamePosition, type Position } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import type { PlacedPush, TopicHistory } from '../transport/topic-history.js';
import { NOTHING_DONE, type ServerReply } from '../transport/transport-message.js';
import type { SampledLogger } from '../util/sampled-logger.js';

const RETRY_MS = 500;

export interface FollowerListener {
  deliver(topic: Topic, push: PlacedPush): ServerReply;
  /** What is missing cannot be had. The history goes on from the position. */
  reset(topic: Topic, position: Position): void;
}

/**
 * Sees to it that this server delivers a topic's history in order, once and without a gap: each push names the one before
 * it, and what is missing is read.
 */
export class TopicFollower {
  private last: Position | undefined;
  private healing: Promise<void> | undefined;
  private closed = false;
  /** Pushes that came out of turn, by the id of their position. They are delivered in turn when they are read. */
  private readonly waiting = new Map<string, { n: number; answer(reply: ServerReply): void }>();

  constructor(
    private readonly topic: Topic,
    private readonly history: TopicHistory,
    private readonly listener: FollowerListener,
    private readonly logger: SampledLogger,
  ) {}

  /** That of the last push that was delivered here; absent until it has started. */
  get position(): Position | undefined {
    return this.last;
  }

  /** Begins behind `position`. */
  start(position: Position): void {
    this.last = position;
    if (this.waiting.size > 0) this.heal();
  }

  receive(push: PlacedPush): ServerReply | Promise<ServerReply> {
    if (this.last === undefined || this.healing !== undefined) return this.wait(push);
    if (isNext(this.last, push.place)) return this.take(push);
    if (isSamePosition(this.last, push.place.position)) return NOTHING_DONE;
    const reply = this.wait(push);
    this.heal();
    return reply;
  }

  close(): void {
    this.closed = true;
    this.answerAll();
  }

  private take(push: PlacedPush): ServerReply {
    this.last = push.place.position;
    return this.listener.deliver(this.topic, push);
  }

  private wait({ place: { position } }: PlacedPush): Promise<ServerReply> {
    return new Promise((answer) => this.waiting.set(position.id, { n: position.n, answer }));
  }

  private heal(): void {
    this.healing ??= this.healUntilWhole().finally(() => {
      this.healing = undefined;
      this.answerAll();
    });
  }

  private async healUntilWhole(): Promise<void> {
    do {
      try {
        await this.healOnce();
      } catch (error) {
        this.logger.warn('history', 'A gap in a history is read later', error);
        await delay(RETRY_MS, undefined, { ref: false });
      }
    } while (!this.closed && this.isBehind());
  }

  private isBehind(): boolean {
    return [...this.waiting.values()].some(({ n }) => n > this.last!.n);
  }

  /** What came before the read and is not in it is of a history that was lost: it was never to be had again. */
  private async healOnce(): Promise<void> {
    const cameBefore = [...this.waiting.keys()];
    const missed = await this.history.since(this.topic, this.last!);
    if (this.closed) return;
    if (missed === undefined) return this.reset();
    for (const push of missed) this.answer(push.place.position.id, this.take(push));
    for (const id of cameBefore) this.answer(id, NOTHING_DONE);
  }

  private async reset(): Promise<void> {
    const [position] = await this.history.positionsOf([this.topic]);
    if (this.closed) return;
    this.last = position!;
    this.answerAll(); // what came meanwhile is before the position, or is named by the reset
    this.listener.reset(this.topic, position!);
  }

  private answer(id: string, reply: ServerReply): void {
    this.waiting.get(id)?.answer(reply);
    this.waiting.delete(id);
  }

  private answerAll(): void {
    for (const id of [...this.waiting.keys()]) this.answer(id, NOTHING_DONE);
  }
}
