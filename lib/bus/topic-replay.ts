import type { LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import type { DurableTopics } from '../history/durable-topics.js';
import { rememberedPatternsMatching } from '../protocol/remembered-patterns.js';
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

/** How often it is read in a row without getting any further, before what is missing is given up. */
const ATTEMPTS = 5;

/** So little may be sent at once when the gate is opened. */
const FEW = 16;

/** What a connection was given of a topic before it was held: behind number `from` up to `to`, what the patterns match. */
export interface Given {
  readonly from: number;
  readonly to: number;
  readonly patterns: ReadonlySet<string>;
}

/** What a replay needs of this server. */
export interface ReplayTools {
  readonly durable: DurableTopics;
  readonly delivery: DurableDelivery;
  readonly reads: SharedReads;
  /** Of all replays together. */
  readonly pace: TurnPace;
}

/**
 * Brings a connection, at whose gate the topic is held, from one place in it to where it is. What the server delivers
 * meanwhile waits at the gate, so whatever is not in a read is there: all that it had delivered before was in the history
 * when the read began.
 */
export class TopicReplay {
  private readonly name: string;
  /** Where it has got to. */
  private at!: Position;
  /** How many events matched. */
  private count = 0;

  constructor(
    private readonly connection: LoopConnection,
    private readonly topic: Topic,
    private readonly given: Given | undefined,
    private readonly tools: ReplayTools,
  ) {
    this.name = clientNameOf(topic);
  }

  /** What follows what the client said. Resolves with how many events matched, or with `undefined` when something is lost. */
  async since(text: string): Promise<number | undefined> {
    if (text === LATEST) return this.latest();
    const position = parsePosition(text);
    if (position === undefined || this.connection.gate.isPast(this.name, position.n)) {
      return undefined;
    }
    if (!this.hasComeTo(position)) await this.catchUp();
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
      this.connection.gate.hold(this.name); // a reset is of this server; the client may be further already
    }
    return undefined;
  }

  /** What came since it was held. */
  async sinceHeld(): Promise<number | undefined> {
    const at = this.heldAt();
    return at && this.after(at);
  }

  /** From where it is now. The position is for the client, to whom everything before is given up. */
  restart(): string {
    const position = this.tools.durable.positionOf(this.topic) ?? { n: 0, id: '-' };
    this.connection.gate.release(this.name, position.n, position.n);
    this.connection.gate.restart(this.name, position);
    return encodePosition(position);
  }

  /** Not so when another server was quicker, or when a new history has begun and has not been noticed here. */
  private hasComeTo(position: Position): boolean {
    const here = this.tools.durable.positionOf(this.topic);
    return here === undefined || here.n > position.n || isSamePosition(here, position);
  }

  /** A client that is in the new history already would be told of the loss once more when it is noticed here. */
  private async catchUp(): Promise<void> {
    await this.tools.durable.catchUp(this.topic);
    this.connection.gate.hold(this.name); // what came meanwhile is read
  }

  /** Only what was there before it was held is left out: what comes meanwhile comes as well. */
  private async latest(): Promise<number | undefined> {
    const from = this.heldAt();
    if (from === undefined) return undefined;
    const latest = await this.tools.durable.history.latest(this.topic);
    if (latest !== undefined && latest.place.position.n <= from.n) this.deliver(latest); // as often as it is asked for
    this.at = from;
    return (await this.finish(from)) ? this.count : this.after(this.at);
  }

  /** Where the topic was when it was held, as far as what waits tells; `undefined` if it was begun anew since. */
  private heldAt(): Position | undefined {
    const { waiting, wasReset } = this.connection.gate.heldOf(this.name);
    if (wasReset) return undefined;
    const [first] = waiting;
    if (first === undefined) return this.tools.durable.positionOf(this.topic);
    return { n: first.place.position.n - 1, id: first.place.previousId };
  }

  /** Sends what waits, and opens the gate when it is little. Resolves with `false` when some of it is not there. */
  private async finish(from: Position): Promise<boolean> {
    for (;;) {
      const { waiting, overflowed, wasReset } = this.connection.gate.heldOf(this.name);
      if (overflowed || wasReset) return false;
      const later = waiting.filter(({ place }) => place.position.n > this.at.n);
      if (later.length <= FEW) {
        for (const push of later) this.replay(push);
        const begunAt = Math.min(from.n, this.given?.from ?? from.n);
        this.connection.gate.release(this.name, begunAt, this.at.n);
        return true;
      }
      this.connection.gate.hold(this.name);
      await this.send(later);
    }
  }

  /** As fast as the reader and the other replays let it. */
  private async send(pushes: readonly PlacedPush[]): Promise<void> {
    for (const push of pushes) {
      await this.tools.pace.pass();
      while (!this.connection.hasRoom) await this.connection.untilRoom(); // another topic may have taken it
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
    return rememberedPatternsMatching(name).some((pattern) => patterns.has(pattern));
  }
}
