import { Inject, Injectable } from '@nestjs/common';
import { OpenAsks } from '../bus/open-asks.js';
import { composeEvent } from '../bus/outgoing-event.js';
import { PositionAnnouncer } from '../bus/position-announcer.js';
import { AnnouncedMemberships } from '../bus/announced-memberships.js';
import { FlushScheduler } from '../connections/flush-scheduler.js';
import { JoinedFrames } from '../connections/joined-frames.js';
import { type ConnectionEnd, LoopConnection } from '../connections/loop-connection.js';
import type { LoopSocket, LoopStream } from '../connections/loop-socket.js';
import { Outbox } from '../connections/outbox.js';
import { TextFrame } from '../connections/text-frame.js';
import { wireOf } from '../connections/wire.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { BackgroundWork } from '../util/background-work.js';
import { randomId } from '../util/random-id.js';
import { Authenticator } from './request/authenticator.js';
import { FrameHandler } from './session/frame-handler.js';
import type { Admitted } from './handshake.js';
import type { Identity } from './request/identity.js';
import { KeptRequest } from './request/kept-request.js';
import type { Peer } from './request/loop-request.js';
import { Session, type SessionServices } from './session/session.js';
import { Sessions } from './session/sessions.js';
import { SessionTeardown } from './session/session-teardown.js';

/** Assembles the parts of a connection. */
@Injectable()
export class SessionFactory {
  private readonly services: SessionServices;
  private readonly joined = new JoinedFrames();

  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly memberships: AnnouncedMemberships,
    private readonly scheduler: FlushScheduler,
    asks: OpenAsks,
    handler: FrameHandler,
    authenticator: Authenticator,
    background: BackgroundWork,
    announcer: PositionAnnouncer,
    sessions: Sessions,
    teardown: SessionTeardown,
  ) {
    const { config } = settings;
    this.services = {
      config,
      asks,
      handler,
      authenticator,
      background,
      announcer,
      sessions,
      teardown,
    };
  }

  /** Creates a session that already listens to its socket, but does not handle frames yet. */
  create(socket: LoopSocket, stream: LoopStream & Peer, { identity, request }: Admitted): Session {
    const wire = wireOf(socket, stream, this.joined);
    const outbox = new Outbox(wire, this.scheduler, this.settings.config.maxQueueBytes);
    const session = new Session(this.services, {
      socket,
      outbox,
      request: new KeptRequest(request, stream),
      connect: (end) => this.connectionOf(socket, outbox, identity, end),
    });
    session.credentials.expireAt(identity.expiresAt);
    return session;
  }

  private connectionOf(
    socket: LoopSocket,
    outbox: Outbox,
    { accountId, connectionId, claims }: Identity,
    end: ConnectionEnd,
  ): LoopConnection {
    const { serverId, config } = this.settings;
    return new LoopConnection({
      registration: { accountId, connectionId, serverId, registration: randomId() },
      openedAt: performance.now(),
      claims,
      socket,
      outbox,
      memberships: this.memberships,
      encode: this.encode,
      closeTimeoutMs: config.closeTimeoutMs,
      end,
    });
  }

  private readonly encode = (name: string, data: unknown): TextFrame =>
    new TextFrame(composeEvent(name, data, this.settings).frame);
}
