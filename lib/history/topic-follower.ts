import { setTimeout as delay } from 'node:timers/promises';
import { isNext, isSamePosition, type Position } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import type { PlacedPush, TopicHistory } from '../transport/topic-history.js';
import { NOTHING_DONE, type ServerReply } from '../transport/transport-message.js';
import type { SampledLogger } from '../util/sampled-logger.js';

const RETRY_MS = 500;

/** What a follower reads. */
export type FollowedHistory = Pick<TopicHistory, 'positionsOf' | 'since' | 'vouchFor'>;

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
  /** When {@link position} changed last, by the monotonic clock; absent until it has. */
  movedAt: number | undefined;
  private last: Position | undefined;
  private healing: Promise<void> | undefined;
  private closed = false;
  /** Whether something may have been missed before it started. */
  private isUnsure = false;
  /** Pushes that came out of turn, by the id of their position. They are delivered in turn when they are read. */
  private readonly waiting = new Map<string, { n: number; answer(reply: ServerReply): void }>();

  /** Who waits for a push to be delivered, and its number. */
  private readonly awaiting: { n: number; callback: () => void }[] = [];

  constructor(
    readonly topic: Topic,
    private readonly history: FollowedHistory,
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
    if (this.isUnsure || this.waiting.size > 0) this.heal();
  }

  receive(push: PlacedPush): ServerReply | Promise<ServerReply> {
    if (this.last === undefined || this.healing !== undefined) return this.wait(push);
    if (isNext(this.last, push.place)) return this.take(push);
    if (isSamePosition(this.last, push.place.position)) return NOTHING_DONE;
    const reply = this.wait(push);
    this.heal();
    return reply;
  }

  /** Calls back when everything up to the position was delivered, or never will be. */
  whenDelivered({ n }: Position, callback: () => void): void {
    this.awaiting.push({ n, callback });
    this.callBack();
  }

  /**
   * `position` is where the topic was a moment ago: if it was not here, something may have been missed. Resolves when this
   * server has it, or has told that it is lost.
   */
  async verify(position: Position): Promise<void> {
    if (this.last === undefined) this.isUnsure = true;
    else if (!isSamePosition(this.last, position)) this.heal();
    await this.healing;
  }

  close(): void {
    this.closed = true;
    this.answerAll();
    this.callBack(Infinity);
  }

  private take(push: PlacedPush): ServerReply {
    this.moveTo(push.place.position);
    const reply = this.listener.deliver(this.topic, push);
    if (this.awaiting.length > 0) this.callBack();
    return reply;
  }

  private moveTo(position: Position): void {
    this.last = position;
    this.movedAt = performance.now();
  }

  private callBack(upTo = this.last?.n ?? -1): void {
    const isPast = ({ n }: { n: number }): boolean => n <= upTo;
    const past = this.awaiting.filter(isPast);
    this.awaiting.splice(0, Infinity, ...this.awaiting.filter((one) => !isPast(one)));
    for (const { callback } of past) callback();
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
    let isRead = false;
    while (!this.closed && (!isRead || this.isBehind())) {
      try {
        await this.healOnce();
        isRead = true;
      } catch (error) {
        this.logger.warn('history', 'A gap in a history is read later', error);
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
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
    await this.history.vouchFor?.(this.topic, this.last!);
    const [position] = await this.history.positionsOf([this.topic]);
    if (this.closed) return;
    this.moveTo(position!);
    for (const [id, { n }] of [...this.waiting]) {
      if (n <= position!.n) this.answer(id, NOTHING_DONE); // the reset names it
    }
    this.listener.reset(this.topic, position!);
    this.callBack(Infinity);
  }

  private answer(id: string, reply: ServerReply): void {
    this.waiting.get(id)?.answer(reply);
    this.waiting.delete(id);
  }

  private answerAll(): void {
    for (const id of [...this.waiting.keys()]) this.answer(id, NOTHING_DONE);
  }
}
