import type { LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import type { DurableTopics } from '../history/durable-topics.js';
import { cachedPatternsMatching } from '../protocol/remembered-patterns.js';
import { LATEST } from '../protocol/since.js';
import {
  encodePosition,
  isSamePosition,
  parsePosition,
  type Position,
} from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import type { PlacedPush } from '../transport/topic-history.js';
import type { TurnPace } from '../util/turn-pace.js';
import type { DurableDelivery } from './durable-delivery.js';
import type { SharedReads } from './shared-reads.js';

/** Reads in a row without progress after which the missing events are considered lost. */
const ATTEMPTS = 5;

/** Most waiting events that are sent at once when the gate is opened. */
const MAX_SENT_AT_ONCE = 16;

/** What a connection was given of a topic before it was held: matches of the patterns after `from`, up to `to`. */
export interface Given {
  readonly from: number;
  readonly to: number;
  readonly patterns: ReadonlySet<string>;
}

/** The services of this server that a replay uses. */
export interface ReplayTools {
  readonly durable: DurableTopics;
  readonly delivery: DurableDelivery;
  readonly reads: SharedReads;
  /** Shared by all replays. */
  readonly pace: TurnPace;
}

/**
 * Brings a connection, whose gate holds the topic, from one position to the current one. What the server delivers
 * meanwhile waits at the gate. So every event that a read lacks is waiting there: all that the server had delivered
 * earlier was in the history when the read began.
 */
export class TopicReplay {
  private readonly name: string;
  /** The position reached so far. */
  private at!: Position;
  /** Number of matching events that were sent. */
  private count = 0;

  constructor(
    private readonly connection: LoopConnection,
    private readonly topic: Topic,
    private readonly given: Given | undefined,
    private readonly tools: ReplayTools,
  ) {
    this.name = clientNameOf(topic);
  }

  /**
   * Replays from what the client sent. Resolves with the number of matching events, or `undefined` if events are lost.
   */
  async since(text: string): Promise<number | undefined> {
    if (text === LATEST) return this.latest();
    const position = parsePosition(text);
    if (position === undefined || this.connection.gate.isPast(this.name, position.n)) {
      return undefined;
    }
    if (!this.hasReached(position)) await this.catchUp();
    return this.after(position);
  }

  async after(from: Position): Promise<number | undefined> {
    const { durable, reads } = this.tools;
    this.at = from;
    for (let idle = 0; idle < ATTEMPTS; idle++) {
      const delivered = durable.positionOf(this.topic)?.n ?? this.at.n;
      const missed = await reads.since(this.topic, this.at, delivered);
      if (missed === undefined) return undefined;
      if (missed.length > 0) idle = 0;
      await this.send(missed);
      if (this.at.n < delivered) return undefined;
      if (await this.finish(from)) return this.count;
      this.connection.gate.hold(this.name); // after a reset here, the client may already be past it
    }
    return undefined;
  }

  /** Replays what arrived since the topic was held. */
  async sinceHeld(): Promise<number | undefined> {
    const at = this.heldAt();
    return at && this.after(at);
  }

  /** Continues from the current position and returns it for the client, which does not get anything earlier. */
  restart(): string {
    const position = this.tools.durable.positionOf(this.topic) ?? { n: 0, id: '-' };
    this.connection.gate.release(this.name, position.n, position.n);
    this.connection.gate.restart(this.name, position);
    return encodePosition(position);
  }

  /** False if another server was faster, or if a new history has begun and this server has not noticed. */
  private hasReached(position: Position): boolean {
    const here = this.tools.durable.positionOf(this.topic);
    return here === undefined || here.n > position.n || isSamePosition(here, position);
  }

  /**
   * Otherwise a client that is already in a new history would be told of the loss again when this server notices it.
   */
  private async catchUp(): Promise<void> {
    await this.tools.durable.catchUp(this.topic);
    this.connection.gate.hold(this.name); // what arrived meanwhile will be read
  }

  /** Sends the latest event and what arrives after the topic was held; earlier events are left out. */
  private async latest(): Promise<number | undefined> {
    const from = this.heldAt();
    if (from === undefined) return undefined;
    const latest = await this.tools.durable.history.latest(this.topic);
    if (latest !== undefined && latest.place.position.n <= from.n) this.deliver(latest); // on every request
    this.at = from;
    return (await this.finish(from)) ? this.count : this.after(this.at);
  }

  /** The position at which the topic was held, judged by what waits; `undefined` if a new history was begun since. */
  private heldAt(): Position | undefined {
    const { waiting, wasReset } = this.connection.gate.heldOf(this.name);
    if (wasReset) return undefined;
    const [first] = waiting;
    if (first === undefined) return this.tools.durable.positionOf(this.topic);
    return { n: first.place.position.n - 1, id: first.place.previousId };
  }

  /** Sends what waits, and opens the gate when little is left. Resolves with `false` if some of it is missing. */
  private async finish(from: Position): Promise<boolean> {
    for (;;) {
      const { waiting, overflowed, wasReset } = this.connection.gate.heldOf(this.name);
      if (overflowed || wasReset) return false;
      const later = waiting.filter(({ place }) => place.position.n > this.at.n);
      if (later.length <= MAX_SENT_AT_ONCE) {
        for (const push of later) this.replay(push);
        const begunAt = Math.min(from.n, this.given?.from ?? from.n);
        this.connection.gate.release(this.name, begunAt, this.at.n);
        return true;
      }
      this.connection.gate.hold(this.name);
      await this.send(later);
    }
  }

  /** Sends as fast as the reader and the other replays allow. */
  private async send(pushes: readonly PlacedPush[]): Promise<void> {
    for (const push of pushes) {
      await this.tools.pace.pass();
      while (!this.connection.hasCapacity) await this.connection.untilCapacity(); // another topic may have taken the room
      this.replay(push);
    }
  }

  private replay(push: PlacedPush): void {
    this.at = push.place.position;
    if (!this.wasGiven(push)) this.deliver(push);
  }

  private deliver(push: PlacedPush): void {
    if (this.tools.delivery.replay(this.connection, this.topic, push)) this.count++;
  }

  private wasGiven({ name, place: { position } }: PlacedPush): boolean {
    if (this.given === undefined) return false;
    const { from, to, patterns } = this.given;
    if (position.n <= from || position.n > to) return false;
    return cachedPatternsMatching(name).some((pattern) => patterns.has(pattern));
  }
}
