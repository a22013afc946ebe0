import { Injectable } from '@nestjs/common';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import type { ConnectionHome, LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import { PositionNews, tellPositions } from './position-news.js';
import { ServerSubscriptions } from './server-subscriptions.js';

/** Runs the subscriptions and joins of server code, and tells the client from which position it gets each new topic. */
@Injectable()
export class PositionedHome implements ConnectionHome {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly news: PositionNews,
    private readonly onServersAuthority: ServerSubscriptions,
  ) {}

  async subscribe(connection: LoopConnection, patterns: readonly string[]): Promise<void> {
    const subscribe = (): Promise<void> => {
      this.onServersAuthority.note(connection, patterns);
      return this.registry.subscribe(connection, patterns);
    };
    tellPositions(connection, (await this.news.gainedBy(connection, subscribe)).positions);
  }

  async join(connection: LoopConnection, room: string): Promise<void> {
    const join = (): Promise<void> => this.registry.join(connection, room);
    tellPositions(connection, (await this.news.gainedBy(connection, join)).positions);
  }

  unsubscribe(connection: LoopConnection, patterns: readonly string[]): void {
    this.registry.unsubscribe(connection, patterns);
  }

  leave(connection: LoopConnection, room: string): void {
    this.registry.leave(connection, room);
    connection.gate.forget(clientNameOf({ kind: 'room', name: room }));
  }
}
