import { setTimeout as delay } from 'node:timers/promises';
import { isNext, isSamePosition, type Position } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import type { PlacedPush, TopicHistory } from '../transport/topic-history.js';
import { EMPTY_REPLY, type ServerReply, OUTCOME_UNKNOWN } from '../transport/transport-message.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { TurnPace } from '../util/turn-pace.js';

const RETRY_MS = 500;

/** How many pushes are held while those before them are read. Any beyond these are read from the history as well. */
const MAX_WAITING = 1_000;

/** Missed pushes delivered in one turn of the event loop, so that readers keep up and nothing else is delayed. */
const TAKEN_PER_TURN = 16;

/** How long a placed push may be on its way to this server, in milliseconds. */
const ON_ITS_WAY_MS = 100;

/** The part of a history that a follower uses. */
export type FollowedHistory = Pick<TopicHistory, 'positionsOf' | 'since' | 'vouchFor'>;

interface Waiting {
  readonly push: PlacedPush;
  answer(reply: ServerReply): void;
}

export interface FollowerListener {
  deliver(topic: Topic, push: PlacedPush): ServerReply;
  /** What is missing cannot be recovered. The topic continues from the position. */
  reset(topic: Topic, position: Position): void;
}

/**
 * Makes this server deliver a topic's history in order, once and without a gap: each push names the one before it, and
 * what is missing is read from the history.
 */
export class TopicFollower {
  /** When {@link position} last moved, on the clock of `performance.now()`; absent until it has. */
  movedAt: number | undefined;
  private last: Position | undefined;
  private healing: Promise<void> | undefined;
  private closed = false;
  /** The highest position number seen since the last read began, or -1. */
  private top = -1;
  /**
   * The highest position number that was read, or covered by a reset, before its own message arrived. What became of
   * such a push is not known.
   */
  private readTo = -1;
  /**
   * Pushes that came out of order, by the id of their position. They are delivered in order once the gap before them is
   * read.
   */
  private readonly waiting = new Map<string, Waiting>();
  /** Callbacks that wait for a push to be delivered, with its number. */
  private readonly awaiting: { n: number; callback: () => void }[] = [];

  constructor(
    readonly topic: Topic,
    private readonly history: FollowedHistory,
    private readonly listener: FollowerListener,
    private readonly logger: SampledLogger,
  ) {}

  /** The position of the last push delivered here; `undefined` until the follower has started. */
  get position(): Position | undefined {
    return this.last;
  }

  /** Starts after `position`, unless it has already started. */
  start(position: Position): void {
    if (this.last !== undefined) return;
    this.last = position;
    if (this.waiting.size > 0) this.heal();
    this.callBack();
  }

  receive(push: PlacedPush): ServerReply | Promise<ServerReply> {
    if (this.last === undefined || this.healing !== undefined) return this.wait(push);
    if (isNext(this.last, push.place)) return this.take(push);
    if (isSamePosition(this.last, push.place.position)) return this.lateReplyTo(push);
    const reply = this.wait(push);
    this.heal();
    return reply;
  }

  /** Calls back when everything up to the position has been delivered, or never will be. */
  whenDelivered({ n }: Position, callback: () => void): void {
    this.awaiting.push({ n, callback });
    this.callBack();
  }

  /**
   * `position` is where the topic was a moment ago: if this server is not there, it may have missed something. Resolves
   * when it has delivered everything up to there, or has reported the loss.
   */
  async verify(position: Position): Promise<void> {
    this.top = Math.max(this.top, position.n); // a read in progress may have begun earlier
    if (this.last === undefined) this.start(position);
    else if (!isSamePosition(this.last, position)) this.heal();
    await this.healing;
  }

  /**
   * Like {@link verify}, for when nothing indicates a loss: pushes that are on their way are only awaited. Reading them
   * would hold back the topic, and pushes of other topics would overtake it.
   */
  async verifyGently(position: Position): Promise<void> {
    const { last } = this;
    if (last === undefined || isSamePosition(last, position)) return this.verify(position);
    const missed = await this.history.since(this.topic, last);
    if (missed !== undefined && (await this.arrivesByItself(missed.at(-1)?.place.position ?? last)))
      return;
    if (!this.closed) await this.verify(position);
  }

  close(): void {
    this.closed = true;
    this.answerAll();
    this.callBack(Infinity);
  }

  /** Resolves with whether everything up to the position arrives without being read. */
  private async arrivesByItself(position: Position): Promise<boolean> {
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

  /** A push that finds no room is read from the history with the others, so its outcome is still unknown. */
  private wait(push: PlacedPush): ServerReply | Promise<ServerReply> {
    const { id, n } = push.place.position;
    this.top = Math.max(this.top, n);
    this.answer(id, EMPTY_REPLY); // it arrived twice
    if (this.waiting.size >= MAX_WAITING) return OUTCOME_UNKNOWN;
    return new Promise((answer) => this.waiting.set(id, { push, answer }));
  }

  private heal(): void {
    if (this.closed) return this.answerAll();
    this.healing ??= this.healUntilWhole();
  }

  /** Never rejects. Ends in the same step that finds the topic whole: what came in between would be forgotten. */
  private async healUntilWhole(): Promise<void> {
    let isRead = false;
    while (!this.closed && (!isRead || this.isBehind())) {
      try {
        await this.healOnce();
        isRead = true;
      } catch (error) {
        this.logger.warn('history', 'A gap in a history could not be read; this is retried', error);
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
    this.healing = undefined;
    this.answerAll();
  }

  private isBehind(): boolean {
    return this.top > this.last!.n;
  }

  /** A push that arrived before the read and is not in it belongs to a lost history: it can never be recovered. */
  private async healOnce(): Promise<void> {
    const cameBefore = [...this.waiting.keys()];
    this.top = -1; // everything seen so far is in the read, or nowhere
    const missed = await this.history.since(this.topic, this.last!);
    if (this.closed) return;
    if (missed === undefined) return this.reset();
    await this.takeInTurn(missed);
    for (const id of cameBefore) this.answerLate(id);
    await this.takeInTurn(this.waitingNext()); // what arrived during the read needs no reading
  }

  /** The waiting pushes that follow the last delivered one, which changes while they are taken. */
  private *waitingNext(): Iterable<PlacedPush> {
    for (const { push } of this.waiting.values()) if (isNext(this.last!, push.place)) yield push;
  }

  private async takeInTurn(pushes: Iterable<PlacedPush>): Promise<void> {
    const pace = new TurnPace(TAKEN_PER_TURN);
    for (const push of pushes) {
      await pace.pass();
      if (this.closed) return;
      const { n, id } = push.place.position;
      if (!this.waiting.has(id)) this.readTo = n;
      this.answer(id, this.take(push));
    }
  }

  private async reset(): Promise<void> {
    await this.history.vouchFor?.(this.topic, this.last!);
    const [position] = await this.history.positionsOf([this.topic]);
    if (this.closed) return;
    this.moveTo(position!);
    this.readTo = position!.n;
    for (const [id, { push }] of this.waiting) {
      if (push.place.position.n <= position!.n) this.answer(id, OUTCOME_UNKNOWN); // the reset covers it
    }
    this.listener.reset(this.topic, position!);
    this.callBack(Infinity);
  }

  private answer(id: string, reply: ServerReply): void {
    this.waiting.get(id)?.answer(reply);
    this.waiting.delete(id);
  }

  private answerAll(): void {
    for (const id of [...this.waiting.keys()]) this.answerLate(id);
  }

  private answerLate(id: string): void {
    const waiting = this.waiting.get(id);
    if (waiting !== undefined) this.answer(id, this.lateReplyTo(waiting.push));
  }

  /** The reply for a push that is not delivered now. If it was read, saying that nobody got it would be wrong. */
  private lateReplyTo({ place }: PlacedPush): ServerReply {
    return place.position.n <= this.readTo ? OUTCOME_UNKNOWN : EMPTY_REPLY;
  }
}
