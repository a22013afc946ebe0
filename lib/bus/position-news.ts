import { Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import { DurableTopics } from '../history/durable-topics.js';
import { LoopWsConfig } from '../loop-ws.config.js';
import { encodePosition } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import { durableTopicsOf } from './connection-topics.js';

/**
 * Tells a connection where its topics are. A client learns that from its events as well, but few of a topic's events may
 * match what it subscribed; with a position of long ago it could not be told whether it missed something.
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
    if (moved.length === 0) return;
    const topics = Object.fromEntries(moved.map((topic) => this.entryOf(topic)));
    connection.sendFrame({ op: 'positions', topics });
  }

  private hasMoved(topic: Topic, since: number): boolean {
    const movedAt = this.durable.movedAt(topic);
    return movedAt !== undefined && movedAt >= since;
  }

  private entryOf(topic: Topic): [name: string, position: string] {
    return [clientNameOf(topic), encodePosition(this.durable.positionOf(topic)!)];
  }
}
