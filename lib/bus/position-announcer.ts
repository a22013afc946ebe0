import { Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import { DurableTopics } from '../history/durable-topics.js';
import { LoopWsConfig } from '../loop-ws.config.js';
import type { TopicPositions } from '../protocol/frames.js';
import { encodePositions, type Position } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import { durableTopicsOf } from './connection-topics.js';

/** The result of a change, and the positions of the topics that it added. */
export interface Gained<Result> {
  readonly result: Result;
  readonly positions: TopicPositions;
}

/**
 * Tells a connection the positions of its topics. A client also learns them from its events, but it may have had no
 * event of a new topic yet, and few events of another topic may match its subscriptions. With no position, or with a
 * very old one, it could not be told whether it missed something.
 */
@Injectable()
export class PositionAnnouncer {
  constructor(
    private readonly durable: DurableTopics,
    private readonly config: LoopWsConfig,
  ) {}

  /** Call it once per `heartbeatMs`. It reports the topics that have moved since the previous call. */
  announce(connection: LoopConnection): void {
    const since = performance.now() - 2 * this.config.heartbeatMs; // doubled, because a call may be late
    const moved = durableTopicsOf(connection, this.durable).filter(
      (topic) => !connection.gate.holds(clientNameOf(topic)) && this.hasMoved(topic, since),
    );
    sendPositions(connection, this.positionsOf(moved));
  }

  /** Resolves with the positions from which the connection gets the topics that the change added. */
  async positionsGainedBy<Result>(
    connection: LoopConnection,
    change: () => Promise<Result>,
  ): Promise<Gained<Result>> {
    const before = new Set(durableTopicsOf(connection, this.durable).map(clientNameOf));
    const result = await change();
    const gained = durableTopicsOf(connection, this.durable).filter(
      (topic) => !before.has(clientNameOf(topic)),
    );
    for (const topic of gained) this.noteBegun(connection, topic);
    return { result, positions: this.positionsOf(gained) };
  }

  private noteBegun({ gate }: LoopConnection, topic: Topic): void {
    const position = this.durable.positionOf(topic);
    if (position !== undefined) gate.begin(clientNameOf(topic), position);
  }

  private hasMoved(topic: Topic, since: number): boolean {
    const movedAt = this.durable.movedAt(topic);
    return movedAt !== undefined && movedAt >= since;
  }

  private positionsOf(topics: readonly Topic[]): TopicPositions {
    return encodePositions(
      new Map(
        topics.flatMap((topic): [string, Position][] => {
          const position = this.durable.positionOf(topic);
          return position === undefined ? [] : [[clientNameOf(topic), position]];
        }),
      ),
    );
  }
}

export function sendPositions(connection: LoopConnection, topics: TopicPositions): void {
  if (connection.state !== 'open' || Object.keys(topics).length === 0) return;
  connection.sendFrame({ op: 'positions', topics });
}
