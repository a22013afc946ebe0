import { Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import { DurableTopics } from '../history/durable-topics.js';
import { encodePosition, parsePosition, type Position } from '../transport/position.js';
import { type Topic, topicKey } from '../transport/topic.js';
import type { PlacedPush } from '../transport/topic-history.js';
import { DurableDelivery, isInterestedIn } from './durable-delivery.js';

/** How often what was pushed during a read is read as well before it counts as too much. */
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
  /** Reads on their way, by topic and position: a thousand clients that were at the same place share one. */
  private readonly reads = new Map<string, Promise<readonly PlacedPush[] | undefined>>();

  constructor(
    private readonly durable: DurableTopics,
    private readonly delivery: DurableDelivery,
  ) {}

  /** The positions from which everything that is pushed reaches the connection. */
  positionsOf(connection: LoopConnection): Map<string, Position> {
    return new Map(
      this.topicsOf(connection).flatMap((topic): [string, Position][] => {
        const position = this.durable.positionOf(topic);
        return position === undefined ? [] : [[clientNameOf(topic), position]];
      }),
    );
  }

  /** Resolves when everything that matches was sent, or is named by the answer as lost. */
  async run(connection: LoopConnection, since: Since): Promise<ReplayAnswer> {
    const opened = connection.gate.openedAt();
    const resumed: Record<string, number> = {};
    const reset: Record<string, string> = {};
    const topics = this.topicsOf(connection).filter((topic) => {
      const name = clientNameOf(topic);
      return Object.hasOwn(since, name) || opened.has(name);
    });
    for (const topic of topics) connection.gate.hold(clientNameOf(topic));
    await Promise.all(
      topics.map(async (topic) => {
        const name = clientNameOf(topic);
        const from = Object.hasOwn(since, name) ? since[name]! : opened.get(name)!;
        const count = await this.replayTopic(connection, topic, from);
        if (count === undefined) reset[name] = this.restart(connection, topic);
        else if (Object.hasOwn(since, name)) resumed[name] = count;
      }),
    );
    return { resumed, reset };
  }

  /** For a connection that waited long enough for its client. */
  async goOn(connection: LoopConnection): Promise<void> {
    if (!connection.gate.holdsAll) return;
    const { reset } = await this.run(connection, {});
    if (Object.keys(reset).length > 0) connection.sendFrame({ op: 'reset', topics: reset });
  }

  private topicsOf(connection: LoopConnection): Topic[] {
    const { accountId, rooms } = connection;
    const topics: Topic[] = [
      { kind: 'account', name: accountId },
      ...[...rooms].map((name) => ({ kind: 'room' as const, name })),
      ...this.durable.services
        .filter((service) => isInterestedIn(connection, service))
        .map((name) => ({ kind: 'service' as const, name })),
    ];
    return topics.filter((topic) => this.durable.isDurable(topic));
  }

  /** Resolves with how many events matched, or with `undefined` when something is lost. */
  private async replayTopic(
    connection: LoopConnection,
    topic: Topic,
    from: string | Position,
  ): Promise<number | undefined> {
    if (from === LATEST) return this.replayLatest(connection, topic);
    let at = typeof from === 'string' ? parsePosition(from) : from;
    let count = 0;
    for (let attempt = 0; attempt < ATTEMPTS && at !== undefined; attempt++) {
      const missed = await this.read(topic, at);
      if (missed === undefined) return undefined;
      for (const push of missed) if (this.delivery.replay(connection, topic, push)) count++;
      at = missed.at(-1)?.place.position ?? at;
      const live = this.durable.positionOf(topic);
      if (live !== undefined && live.n > at.n) continue;
      connection.gate.release(clientNameOf(topic), at.n);
      return count;
    }
    return undefined;
  }

  private async replayLatest(connection: LoopConnection, topic: Topic): Promise<number> {
    const name = clientNameOf(topic);
    const latest = await this.durable.history!.latest(topic);
    const live = this.durable.positionOf(topic);
    // A newer one came while it was read: that one is the latest.
    const isOld = latest !== undefined && live !== undefined && live.n > latest.place.position.n;
    if (isOld) return this.replayLatest(connection, topic);
    const isSent = latest !== undefined && this.delivery.replay(connection, topic, latest);
    connection.gate.release(name, latest?.place.position.n ?? live?.n ?? 0);
    return isSent ? 1 : 0;
  }

  /** From where the topic is now. */
  private restart(connection: LoopConnection, topic: Topic): string {
    const position = this.durable.positionOf(topic) ?? { n: 0, id: '-' };
    connection.gate.release(clientNameOf(topic), position.n);
    return encodePosition(position);
  }

  private read(topic: Topic, position: Position): Promise<readonly PlacedPush[] | undefined> {
    const key = `${encodePosition(position)} ${topicKey(topic)}`;
    const running = this.reads.get(key);
    if (running !== undefined) return running;
    const read = this.durable.history!.since(topic, position);
    this.reads.set(key, read);
    const forget = (): boolean => this.reads.delete(key);
    read.then(forget, forget);
    return read;
  }
}
