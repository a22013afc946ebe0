import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { OpenAsks } from '../bus/open-asks.js';
import { composeEvent } from '../bus/outgoing-event.js';
import { PositionNews } from '../bus/position-news.js';
import { PositionedHome } from '../bus/positioned-home.js';
import { FlushScheduler } from '../connections/flush-scheduler.js';
import { JoinedFrames } from '../connections/joined-frames.js';
import { LoopConnection } from '../connections/loop-connection.js';
import type { LoopSocket, LoopStream } from '../connections/loop-socket.js';
import { Outbox } from '../connections/outbox.js';
import { TextFrame } from '../connections/text-frame.js';
import { wireOf } from '../connections/wire.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { BackgroundWork } from '../util/background-work.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { Authenticator } from './authenticator.js';
import { Credentials } from './credentials.js';
import { FrameHandler } from './frame-handler.js';
import type { Admitted } from './handshake.js';
import { Session } from './session.js';
import { SessionEnd } from './session-end.js';

/** A session that was just made: it listens already, and handles nothing yet. */
export interface NewSession {
  readonly session: Session;
  readonly connection: LoopConnection;
  readonly credentials: Credentials;
  readonly end: SessionEnd;
  /** Its client says where it was before it gets anything durable. */
  readonly resumes: boolean;
}

/** Puts the parts of one connection together. */
@Injectable()
export class SessionFactory {
  private readonly joined = new JoinedFrames();
  private created = 0;

  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly home: PositionedHome,
    private readonly scheduler: FlushScheduler,
    private readonly asks: OpenAsks,
    private readonly handler: FrameHandler,
    private readonly authenticator: Authenticator,
    private readonly logger: SampledLogger,
    private readonly background: BackgroundWork,
    private readonly news: PositionNews,
  ) {}

  create(socket: LoopSocket, stream: LoopStream, admitted: Admitted): NewSession {
    const { config } = this.settings;
    const end = new SessionEnd(this.logger);
    const outbox = new Outbox(
      wireOf(socket, stream, this.joined),
      this.scheduler,
      config.maxQueueBytes,
    );
    const connection = this.connectionOf(socket, outbox, admitted, end);
    const credentials = new Credentials(admitted, connection, this.authenticator);
    end.undo(() => credentials.forget());
    const session = new Session({
      socket,
      outbox,
      connection,
      end,
      config,
      asks: this.asks,
      handler: this.handler,
      background: this.background,
      news: this.news,
      refreshCredentials: (token) => credentials.refresh(token),
    });
    const resumes = admitted.request.query.get('resume') === '1';
    return { session, connection, credentials, end, resumes };
  }

  private connectionOf(
    socket: LoopSocket,
    outbox: Outbox,
    { identity }: Admitted,
    end: SessionEnd,
  ): LoopConnection {
    const { accountId, connectionId, claims } = identity;
    const { serverId, config } = this.settings;
    return new LoopConnection({
      registration: { accountId, connectionId, serverId, registration: randomUUID() },
      sequence: ++this.created,
      claims,
      socket,
      outbox,
      home: this.home,
      encode: (name, data) => new TextFrame(composeEvent(name, data, this.settings).frame),
      closeTimeoutMs: config.closeTimeoutMs,
      onClosing: (close) => end.come(close),
    });
  }
}
