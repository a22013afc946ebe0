import { Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import { DurableTopics } from '../history/durable-topics.js';
import { CloseCode } from '../protocol/close-code.js';
import { encodePosition, parsePosition, type Position } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import type { PlacedPush } from '../transport/topic-history.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { durableTopicsOf } from './connection-topics.js';
import { DurableDelivery } from './durable-delivery.js';
import { SharedReads } from './shared-reads.js';

/** How often it is read again when more came during a read than could wait. */
const ATTEMPTS = 5;

/** In place of a position: the last event only, be it old or new. */
const LATEST = 'latest';

/** What a client said of its topics, by their names: a position, or `latest`. */
export type Since = Readonly<Record<string, string>>;

export interface ReplayAnswer {
  /** Events that were replayed, by topic. */
  readonly resumed: Readonly<Record<string, number>>;
  /** Topics of which something is lost, with the position from which they go on. */
  readonly reset: Readonly<Record<string, string>>;
}

/** Brings a connection from where its client was to where its topics are, without a hole and without a double. */
@Injectable()
export class Replay {
  private readonly reads: SharedReads;

  constructor(
    private readonly durable: DurableTopics,
    private readonly delivery: DurableDelivery,
    private readonly logger: SampledLogger,
  ) {
    this.reads = new SharedReads(durable);
  }

  /** The positions from which everything that is pushed reaches the connection. */
  positionsOf(connection: LoopConnection): Map<string, Position> {
    return new Map(
      durableTopicsOf(connection, this.durable).flatMap((topic): [string, Position][] => {
        const position = this.durable.positionOf(topic);
        return position === undefined ? [] : [[clientNameOf(topic), position]];
      }),
    );
  }

  /**
   * Sends everything that matches, and calls `tell` with what it was, before anything else of the topics of which something
   * is lost. When it cannot be read, the connection is closed: its client comes back with the positions that it has.
   */
  async run(
    connection: LoopConnection,
    since: Since,
    tell: (answer: ReplayAnswer) => void,
  ): Promise<void> {
    const opened = connection.gate.openedAt();
    const resumed: Record<string, number> = {};
    const lost: Topic[] = [];
    const topics = durableTopicsOf(connection, this.durable).filter((topic) => {
      const name = clientNameOf(topic);
      return Object.hasOwn(since, name) || opened.has(name);
    });
    for (const topic of topics) connection.gate.hold(clientNameOf(topic));
    const replaying = topics.map(async (topic) => {
      const name = clientNameOf(topic);
      const from = Object.hasOwn(since, name) ? since[name]! : opened.get(name)!;
      const count = await this.replayTopic(connection, topic, from);
      if (count === undefined) lost.push(await this.caughtUp(topic));
      else if (Object.hasOwn(since, name)) resumed[name] = count;
    });
    try {
      await Promise.all(replaying);
    } catch (error) {
      this.logger.warn('replay', 'Histories could not be read; a client was sent away', error);
      connection.close(CloseCode.TryAgainLater, 'The histories cannot be read right now.');
    }
    const reset = lost.map((topic) => [clientNameOf(topic), this.restart(connection, topic)]);
    tell({ resumed, reset: Object.fromEntries(reset) });
  }

  /** For a connection that waited long enough for its client. */
  async goOn(connection: LoopConnection): Promise<void> {
    if (!connection.gate.holdsAll) return;
    await this.run(connection, {}, ({ reset }) => tellReset(connection, reset));
  }

  /** Resolves with how many events matched, or with `undefined` when something is lost. */
  private async replayTopic(
    connection: LoopConnection,
    topic: Topic,
    from: string | Position,
  ): Promise<number | undefined> {
    if (from === LATEST) return this.replayLatest(connection, topic);
    const position = typeof from === 'string' ? parsePosition(from) : from;
    return position && this.replaySince(connection, topic, position);
  }

  /**
   * What the server delivers while it reads waits at the gate, so whatever is not in the read is there: all that it had
   * delivered before was in the history when the read began.
   */
  private async replaySince(
    connection: LoopConnection,
    topic: Topic,
    from: Position,
  ): Promise<number | undefined> {
    const name = clientNameOf(topic);
    let at = from;
    let count = 0;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const delivered = this.durable.positionOf(topic)?.n ?? at.n;
      const missed = await this.reads.since(topic, at, delivered);
      if (missed === undefined) return undefined;
      count += await this.send(connection, topic, missed);
      at = missed.at(-1)?.place.position ?? at;
      const { waiting, overflowed, wasReset } = connection.gate.heldOf(name);
      const isWhole = !wasReset && !overflowed;
      if (isWhole && at.n < delivered) return undefined;
      if (isWhole) return count + this.release(connection, topic, at.n, waiting);
      connection.gate.hold(name); // a reset is of this server; the client may be further already
    }
    return undefined;
  }

  private async replayLatest(connection: LoopConnection, topic: Topic): Promise<number> {
    const name = clientNameOf(topic);
    const latest = await this.durable.history.latest(topic);
    const { waiting, overflowed, wasReset } = connection.gate.heldOf(name);
    if (overflowed || wasReset) {
      connection.gate.hold(name);
      return this.replayLatest(connection, topic);
    }
    const n = latest?.place.position.n ?? this.durable.positionOf(topic)?.n ?? 0;
    const newest = waiting.at(-1);
    if (newest !== undefined && newest.place.position.n > n) {
      return this.release(connection, topic, n, [newest]);
    }
    connection.gate.release(name, n);
    return latest !== undefined && this.delivery.replay(connection, topic, latest) ? 1 : 0;
  }

  /** Sends what waited at the gate behind number `n`, and opens it, all in one turn. Returns how many events matched. */
  private release(
    connection: LoopConnection,
    topic: Topic,
    n: number,
    waiting: readonly PlacedPush[],
  ): number {
    const later = waiting.filter(({ place }) => place.position.n > n);
    connection.gate.release(clientNameOf(topic), later.at(-1)?.place.position.n ?? n);
    return later.filter((push) => this.delivery.replay(connection, topic, push)).length;
  }

  /** As fast as the reader takes them. Returns how many events matched. */
  private async send(
    connection: LoopConnection,
    topic: Topic,
    pushes: readonly PlacedPush[],
  ): Promise<number> {
    let count = 0;
    for (const push of pushes) {
      if (!connection.hasRoom) await connection.untilRoom();
      if (this.delivery.replay(connection, topic, push)) count++;
    }
    return count;
  }

  /** What made the client lose something may not have been noticed here so far, and then it would be told twice. */
  private async caughtUp(topic: Topic): Promise<Topic> {
    await this.durable.catchUp(topic);
    return topic;
  }

  /** From where the topic is now. */
  private restart(connection: LoopConnection, topic: Topic): string {
    const position = this.durable.positionOf(topic) ?? { n: 0, id: '-' };
    connection.gate.release(clientNameOf(topic), position.n);
    return encodePosition(position);
  }
}

export function tellReset(connection: LoopConnection, topics: ReplayAnswer['reset']): void {
  if (Object.keys(topics).length > 0) connection.sendFrame({ op: 'reset', topics });
}
