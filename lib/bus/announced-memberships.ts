import { Injectable } from '@nestjs/common';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import type { ConnectionMemberships, LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import { PositionAnnouncer, sendPositions } from './position-announcer.js';
import { ServerSubscriptions } from './server-subscriptions.js';

/** Runs the subscriptions and joins of server code, and tells the client from which position it gets each new topic. */
@Injectable()
export class AnnouncedMemberships implements ConnectionMemberships {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly announcer: PositionAnnouncer,
    private readonly serverSubscriptions: ServerSubscriptions,
  ) {}

  async subscribe(connection: LoopConnection, patterns: readonly string[]): Promise<void> {
    const subscribe = (): Promise<void> => {
      this.serverSubscriptions.note(connection, patterns);
      return this.registry.subscribe(connection, patterns);
    };
    sendPositions(
      connection,
      (await this.announcer.positionsGainedBy(connection, subscribe)).positions,
    );
  }

  async join(connection: LoopConnection, room: string): Promise<void> {
    const join = (): Promise<void> => this.registry.join(connection, room);
    sendPositions(connection, (await this.announcer.positionsGainedBy(connection, join)).positions);
  }

  unsubscribe(connection: LoopConnection, patterns: readonly string[]): void {
    this.registry.unsubscribe(connection, patterns);
  }

  leave(connection: LoopConnection, room: string): void {
    this.registry.leave(connection, room);
    connection.gate.forget(clientNameOf({ kind: 'room', name: room }));
  }
}
