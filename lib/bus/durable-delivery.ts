import { Injectable } from '@nestjs/common';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import type { LoopConnection } from '../connections/loop-connection.js';
import { TextFrame } from '../connections/text-frame.js';
import { clientNameOf } from '../history/client-topics.js';
import type { FollowerListener } from '../history/topic-follower.js';
import { encodeServerFrame, placeEventFrame } from '../protocol/server-frame.encoder.js';
import { encodePosition, type Position } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import type { PlacedPush } from '../transport/topic-history.js';
import type { ServerReply } from '../transport/transport-message.js';
import { ChannelObservers } from './channel-observers.js';
import { isInterestedIn } from './connection-topics.js';
import { LocalDelivery } from './local-delivery.js';

/** Delivers pushes that have a place in a history to the connections of this server. */
@Injectable()
export class DurableDelivery implements FollowerListener {
  /** Frames of pushes that were read from a history: many connections may be sent the same one. */
  private readonly replayed = new WeakMap<PlacedPush, TextFrame>();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly delivery: LocalDelivery,
    private readonly observers: ChannelObservers,
  ) {}

  deliver(topic: Topic, push: PlacedPush): ServerReply {
    const name = clientNameOf(topic);
    const reply = this.delivery.deliverAs(push, frameOf(topic, push), (connection) =>
      connection.gate.takes(name, push),
    );
    if (push.target.kind === 'channel') this.observers.notify(push);
    return reply;
  }

  /** Sends a connection one push that it missed, if the push is for it. Returns whether its queue took it. */
  replay(connection: LoopConnection, topic: Topic, push: PlacedPush): boolean {
    if (!this.delivery.isFor(connection, push)) return false;
    return connection.deliver(this.replayedFrameOf(topic, push));
  }

  reset(topic: Topic, position: Position): void {
    const name = clientNameOf(topic);
    const topics = { [name]: encodePosition(position) };
    const frame = new TextFrame(encodeServerFrame({ op: 'reset', topics }));
    for (const connection of this.receiversOf(topic)) {
      if (connection.state !== 'open') continue; // its welcome frame will give the position
      const isResuming = connection.gate.holds(name); // then its replay reports the reset
      connection.gate.lose(name);
      if (isResuming) continue;
      connection.gate.restart(name, position);
      connection.deliver(frame);
    }
  }

  private replayedFrameOf(topic: Topic, push: PlacedPush): TextFrame {
    const frame = this.replayed.get(push) ?? new TextFrame(frameOf(topic, push));
    this.replayed.set(push, frame);
    return frame;
  }

  private receiversOf({ kind, name }: Topic): Iterable<LoopConnection> {
    if (kind === 'account') return this.registry.ofAccount(name);
    if (kind === 'room') return this.registry.membersOf(name);
    return [...this.registry].filter((connection) => isInterestedIn(connection, name));
  }
}

function frameOf(topic: Topic, { frame, place }: PlacedPush): string {
  return placeEventFrame(frame, clientNameOf(topic), encodePosition(place.position));
}
