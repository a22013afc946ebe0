import { Injectable } from '@nestjs/common';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import type { LoopConnection } from '../connections/loop-connection.js';
import { TextFrame } from '../connections/text-frame.js';
import { LoopWsConfig } from '../loop-ws.config.js';
import { patternsMatching } from '../protocol/pattern.js';
import type { ConnectionRef, PushMessage, ServerReply } from '../transport/transport-message.js';
import { ChannelObservers } from './channel-observers.js';
import { RecentPushes } from './recent-pushes.js';

/** Delivers a push to the connections of this server, whoever published it. Synchronous, so calls keep their order. */
@Injectable()
export class LocalDelivery {
  private readonly recent: RecentPushes;

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly observers: ChannelObservers,
    config: LoopWsConfig,
  ) {
    this.recent = new RecentPushes(config.idempotencyWindowMs, config.idempotencyMaxIds);
  }

  deliver(push: PushMessage): ServerReply {
    return this.recent.once(push, () => {
      if (push.target.kind === 'channel') this.observers.notify(push);
      return this.offerToAll(push);
    });
  }

  private offerToAll(push: PushMessage): ServerReply {
    let frame: TextFrame | undefined;
    const patterns = patternsMatching(push.name);
    const isExcepted = exceptionsOf(push.except);
    let [delivered, filtered, failed] = [0, 0, 0];
    for (const connection of this.meantBy(push)) {
      if (connection.state !== 'open' || isExcepted(connection)) continue;
      if (!connection.isSubscribedToAny(patterns)) filtered++;
      else if (connection.deliver((frame ??= new TextFrame(push.frame)), push.ttlMs)) delivered++;
      else failed++;
    }
    return { delivered, filtered, failed };
  }

  private meantBy({ target, name }: PushMessage): Iterable<LoopConnection> {
    switch (target.kind) {
      case 'connection': {
        const connection = this.registry.get(target.accountId, target.connectionId);
        return connection === undefined ? [] : [connection];
      }
      case 'account':
        return this.registry.ofAccount(target.accountId);
      case 'room':
        return this.registry.membersOf(target.room);
      case 'channel':
        return this.registry.subscribersOf(name);
    }
  }
}

function exceptionsOf(
  except: readonly (string | ConnectionRef)[] = [],
): (connection: LoopConnection) => boolean {
  if (except.length === 0) return () => false;
  const ids = new Set(except.filter((one) => typeof one === 'string'));
  const refs = except.filter((one) => typeof one !== 'string');
  return ({ accountId, connectionId }) =>
    ids.has(connectionId) ||
    refs.some((ref) => ref.accountId === accountId && ref.connectionId === connectionId);
}
