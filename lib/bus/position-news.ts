import { Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import { DurableTopics } from '../history/durable-topics.js';
import { LoopWsConfig } from '../loop-ws.config.js';
import { encodePosition } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import { durableTopicsOf } from './connection-topics.js';

/** Positions by the names that clients have for their topics. */
export type PositionTexts = Readonly<Record<string, string>>;

/** What came of a change, and the topics that are new by it. */
export interface Gained<Result> {
  readonly result: Result;
  readonly positions: PositionTexts;
}

/**
 * Tells a connection where its topics are. A client learns that from its events as well, but of a new topic it may have had
 * none yet, and of another one few may match what it subscribed; with no position, or with one of long ago, it could not be
 * told whether it missed something.
 */
@Injectable()
export class PositionNews {
  constructor(
    private readonly durable: DurableTopics,
    private readonly config: LoopWsConfig,
  ) {}

  /** Call it once per `heartbeatMs`: told are the topics that have moved since. */
  tell(connection: LoopConnection): void {
    const since = performance.now() - 2 * this.config.heartbeatMs; // twice, for a call may be late
    const moved = durableTopicsOf(connection, this.durable).filter(
      (topic) => !connection.gate.holds(clientNameOf(topic)) && this.hasMoved(topic, since),
    );
    tellPositions(connection, this.textsOf(moved));
  }

  /** Resolves with the positions from which the connection gets the topics that are new to it by the change. */
  async gainedBy<Result>(
    connection: LoopConnection,
    change: () => Promise<Result>,
  ): Promise<Gained<Result>> {
    const before = new Set(durableTopicsOf(connection, this.durable).map(clientNameOf));
    const result = await change();
    const gained = durableTopicsOf(connection, this.durable).filter(
      (topic) => !before.has(clientNameOf(topic)),
    );
    for (const topic of gained) this.noteBegun(connection, topic);
    return { result, positions: this.textsOf(gained) };
  }

  private noteBegun({ gate }: LoopConnection, topic: Topic): void {
    const position = this.durable.positionOf(topic);
    if (position !== undefined) gate.begin(clientNameOf(topic), position);
  }

  private hasMoved(topic: Topic, since: number): boolean {
    const movedAt = this.durable.movedAt(topic);
    return movedAt !== undefined && movedAt >= since;
  }

  private textsOf(topics: readonly Topic[]): PositionTexts {
    return Object.fromEntries(
      topics.flatMap((topic): [string, string][] => {
        const position = this.durable.positionOf(topic);
        return position === undefined ? [] : [[clientNameOf(topic), encodePosition(position)]];
      }),
    );
  }
}

export function tellPositions(connection: LoopConnection, topics: PositionTexts): void {
  if (connection.state !== 'open' || Object.keys(topics).length === 0) return;
  connection.sendFrame({ op: 'positions', topics });
}
