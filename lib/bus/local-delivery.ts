import { Injectable } from '@nestjs/common';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import type { LoopConnection } from '../connections/loop-connection.js';
import { TextFrame } from '../connections/text-frame.js';
import { LoopWsConfig } from '../loop-ws.config.js';
import { cachedPatternsMatching } from '../protocol/remembered-patterns.js';
import { isPlaced } from '../transport/topic-history.js';
import type { ConnectionRef, PushMessage, ServerReply } from '../transport/transport-message.js';
import { ChannelObservers } from './channel-observers.js';
import { RecentPushes } from './recent-pushes.js';

/** The connections that a push is for and whose subscriptions match, and how many others it is for. */
interface Recipients {
  readonly receivers: readonly LoopConnection[];
  readonly filtered: number;
}

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

  /** An expired push is delivered to nobody. */
  deliver(push: PushMessage): ServerReply {
    if (push.ttlMs <= 0) return this.miss(push);
    return this.recent.once(push, () => {
      const reply = this.offerTo(this.receiversOf(push), push, push.frame);
      if (push.target.kind === 'channel') this.observers.notify(push);
      return reply;
    });
  }

  /** Whether the push is for the connection and one of its subscriptions matches. */
  isFor(connection: LoopConnection, { target, name, except }: PushMessage): boolean {
    if (connection.state !== 'open' || exceptionsOf(except)(connection)) return false;
    if (target.kind === 'room' && !connection.roomNames.has(target.room)) return false;
    const isOther = target.kind === 'connection' && target.connectionId !== connection.connectionId;
    return !isOther && connection.isSubscribedToAny(cachedPatternsMatching(name));
  }

  /** Delivers `text` instead of the push's own frame, to the connections that `takes` accepts. */
  deliverAs(
    push: PushMessage,
    text: string,
    takes: (connection: LoopConnection) => boolean,
  ): ServerReply {
    const { receivers, filtered } = this.receiversOf(push);
    const taking = receivers.filter(takes);
    const reply = this.offerTo({ receivers: taking, filtered }, push, text);
    return taking.length < receivers.length ? { ...reply, isOpen: true } : reply;
  }

  /** The reply for an expired push. */
  private miss(push: PushMessage): ServerReply {
    const { receivers, filtered } = this.receiversOf(push);
    return { delivered: 0, filtered, failed: receivers.length };
  }

  /**
   * The receivers are determined before anything is delivered, because delivering may run code that joins, leaves,
   * subscribes or closes.
   */
  private offerTo(
    { receivers, filtered }: Recipients,
    push: PushMessage,
    text: string,
  ): ServerReply {
    if (receivers.length === 0) return { delivered: 0, filtered, failed: 0 };
    // A durable push never expires: dropping it would leave a gap in its history.
    const deadline = isPlaced(push) ? Infinity : performance.now() + push.ttlMs;
    const frame = new TextFrame(text, deadline);
    let delivered = 0;
    for (const connection of receivers) if (connection.deliver(frame)) delivered++;
    return { delivered, filtered, failed: receivers.length - delivered };
  }

  /** A connection that is both the target and excepted counts as filtered: it is connected, and nothing was sent. */
  private receiversOf(push: PushMessage): Recipients {
    const isExcepted = exceptionsOf(push.except);
    const listens = this.listensTo(push);
    const receivers: LoopConnection[] = [];
    let filtered = 0;
    for (const connection of this.candidatesOf(push)) {
      if (connection.state !== 'open') continue;
      if (isExcepted(connection)) filtered += push.target.kind === 'connection' ? 1 : 0;
      else if (listens(connection)) receivers.push(connection);
      else filtered++;
    }
    return { receivers, filtered };
  }

  /** The receivers of a channel push have already been found by their subscriptions. */
  private listensTo({ target, name }: PushMessage): (connection: LoopConnection) => boolean {
    if (target.kind === 'channel') return () => true;
    const patterns = cachedPatternsMatching(name);
    return (connection) => connection.isSubscribedToAny(patterns);
  }

  private candidatesOf({ target, name }: PushMessage): Iterable<LoopConnection> {
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
