import { Injectable } from '@nestjs/common';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { REPLACED } from '../connections/replaced.js';
import { DurableTopics } from '../history/durable-topics.js';
import { parseEventName } from '../protocol/event-name.js';
import { isPlaced } from '../transport/topic-history.js';
import {
  type DisconnectMessage,
  EMPTY_REPLY,
  type ReplaceMessage,
  type ServerReply,
  topicOf,
  type TransportMessage,
} from '../transport/transport-message.js';
import { LocalDelivery } from './local-delivery.js';
import { OpenAsks } from './open-asks.js';

/** Carries out on this server what the bus of another server asks for. */
@Injectable()
export class RemoteMessages {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly delivery: LocalDelivery,
    private readonly asks: OpenAsks,
    private readonly durable: DurableTopics,
  ) {}

  receive(message: TransportMessage): ServerReply | Promise<ServerReply> {
    switch (message.kind) {
      case 'push':
        if (isPlaced(message)) {
          const topic = topicOf(message.target, parseEventName(message.name)!.service);
          // A server whose options declare no history for this topic gets placed pushes from servers whose options do.
          if (this.durable.isDurable(topic)) return this.durable.receive(topic, message);
        }
        return this.delivery.deliver(message);
      case 'ask': {
        const { accountId, connectionId } = message.connection;
        return this.asks.ask(this.registry.get(accountId, connectionId), message);
      }
      case 'disconnect':
        return { ...EMPTY_REPLY, delivered: this.disconnect(message) };
      case 'replace':
        return this.replace(message);
    }
  }

  private disconnect({ accountId, connectionId, code, reason }: DisconnectMessage): number {
    return this.registry.disconnect(accountId, connectionId, code, reason);
  }

  /** Compares ages, not clocks. Of two that were opened while the message was on its way, the one here closes. */
  private replace({ accountId, registration, ageMs }: ReplaceMessage): ServerReply {
    const connection = this.registry.registered(accountId, registration);
    if (connection === undefined) return EMPTY_REPLY;
    if (connection.ageMs < ageMs) return { ...EMPTY_REPLY, filtered: 1 };
    connection.close(REPLACED.code, REPLACED.reason);
    return { ...EMPTY_REPLY, delivered: 1 };
  }
}
