import { setTimeout as delay } from 'node:timers/promises';
import { isNext, isSamePosition, type Position } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import type { PlacedPush, TopicHistory } from '../transport/topic-history.js';
import { NOTHING_DONE, type ServerReply, UNKNOWN_YET } from '../transport/transport-message.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { TurnPace } from '../util/turn-pace.js';

const RETRY_MS = 500;

/** Pushes that may come while what was before them is read. More are read as well. */
const MOST_WAITING = 1_000;

/** Of what was missed, in one turn of the event loop: readers keep up, and nobody else is held up. */
const TAKEN_PER_TURN = 16;

/** For how long what was placed may be on its way to this server, in milliseconds. */
const ON_ITS_WAY_MS = 100;

/** What a follower reads. */
export type FollowedHistory = Pick<TopicHistory, 'positionsOf' | 'since' | 'vouchFor'>;

interface Waiting {
  readonly push: PlacedPush;
  answer(reply: ServerReply): void;
}

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
  /** The highest number that was heard of since the last read began. */
  private top = -1;
  /** Pushes that came out of turn, by the id of their position. They are delivered in turn when they are read. */
  private readonly waiting = new Map<string, Waiting>();
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

  /** Begins behind `position`, unless it has begun. */
  start(position: Position): void {
    if (this.last !== undefined) return;
    this.last = position;
    if (this.waiting.size > 0) this.heal();
    this.callBack();
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
    this.top = Math.max(this.top, position.n); // a read that is on its way may have begun before
    if (this.last === undefined) this.start(position);
    else if (!isSamePosition(this.last, position)) this.heal();
    await this.healing;
  }

  /**
   * Like {@link verify}, where there is no sign that something is missing: what is on its way only is awaited. To read it would
   * hold back the topic, and pushes of other topics would go ahead of it.
   */
  async verifyGently(position: Position): Promise<void> {
    const { last } = this;
    if (last === undefined || isSamePosition(last, position)) return this.verify(position);
    const missed = await this.history.since(this.topic, last);
    if (missed !== undefined && (await this.comesTo(missed.at(-1)?.place.position ?? last))) return;
    if (!this.closed) await this.verify(position);
  }

  close(): void {
    this.closed = true;
    this.answerAll();
    this.callBack(Infinity);
  }

  /** Resolves with whether everything up to the position arrives by itself. */
  private async comesTo(position: Position): Promise<boolean> {
    if (this.last!.n < position.n) {
      const delivered = new Promise<void>((resolve) => this.whenDelivered(position, resolve));
      await Promise.race([delivered, delay(ON_ITS_WAY_MS, undefined, { ref: false })]);
    }
    return this.last!.n >= position.n;
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

  /** What became of one that has no room is not known; it is read with the others. */
  private wait(push: PlacedPush): ServerReply | Promise<ServerReply> {
    const { id, n } = push.place.position;
    this.top = Math.max(this.top, n);
    this.answer(id, NOTHING_DONE); // it has come twice
    if (this.waiting.size >= MOST_WAITING) return UNKNOWN_YET;
    return new Promise((answer) => this.waiting.set(id, { push, answer }));
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
    return this.top > this.last!.n;
  }

  /** What came before the read and is not in it is of a history that was lost: it was never to be had again. */
  private async healOnce(): Promise<void> {
    const cameBefore = [...this.waiting.keys()];
    this.top = -1; // what was heard of so far is in the read, or nowhere
    const missed = await this.history.since(this.topic, this.last!);
    if (this.closed) return;
    if (missed === undefined) return this.reset();
    await this.takeInTurn(missed);
    for (const id of cameBefore) this.answer(id, NOTHING_DONE);
    await this.takeInTurn(this.waitingNext()); // what came during the read need not be read
  }

  /** Those that wait and follow the last one; which that is changes while they are taken. */
  private *waitingNext(): Iterable<PlacedPush> {
    for (const { push } of this.waiting.values()) if (isNext(this.last!, push.place)) yield push;
  }

  private async takeInTurn(pushes: Iterable<PlacedPush>): Promise<void> {
    const pace = new TurnPace(TAKEN_PER_TURN);
    for (const push of pushes) {
      await pace.pass();
      if (this.closed) return;
      this.answer(push.place.position.id, this.take(push));
    }
  }

  private async reset(): Promise<void> {
    await this.history.vouchFor?.(this.topic, this.last!);
    const [position] = await this.history.positionsOf([this.topic]);
    if (this.closed) return;
    this.moveTo(position!);
    for (const [id, { push }] of this.waiting) {
      if (push.place.position.n <= position!.n) this.answer(id, UNKNOWN_YET); // the reset names it
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
