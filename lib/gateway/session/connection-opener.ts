import { Inject, Injectable } from '@nestjs/common';
import { Replay } from '../../bus/replay.js';
import { ReplacedConnections } from '../../bus/replaced-connections.js';
import { ConnectionRegistry } from '../../connections/connection-registry.js';
import { Heartbeat } from '../../connections/heartbeat.js';
import type { LoopConnection } from '../../connections/loop-connection.js';
import { REPLACED } from '../../connections/replaced.js';
import { logFailure, toFrameError } from '../../handlers/frame-error.js';
import { LifecycleHooks } from '../../handlers/lifecycle.hooks.js';
import { LoopWsException } from '../../loop-ws.errors.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../../loop-ws.settings.js';
import { type PresenceRegistered, PresenceStore } from '../../presence/presence-store.js';
import { CloseCode } from '../../protocol/close-code.js';
import { ErrorCode } from '../../protocol/error-code.js';
import type { Position } from '../../transport/position.js';
import { accountTopic } from '../../transport/topic.js';
import { TopicInterest } from '../../transport/topic-interest.js';
import { BackgroundWork } from '../../util/background-work.js';
import { SampledLogger } from '../../util/sampled-logger.js';
import { within } from '../../util/within.js';
import type { Session } from './session.js';
import { SubscriptionRequests } from './subscription-requests.js';
import { Step } from './session-step.js';
import { welcomeFrame } from './welcome.js';

/** The close code for each error that prevents a connection from opening; any other error closes with 4503. */
const CLOSE_CODE_BY_ERROR: Readonly<Record<string, number>> = {
  [ErrorCode.Unauthorized]: CloseCode.CredentialsExpired,
  [ErrorCode.RateLimited]: CloseCode.OverTheRate,
  [ErrorCode.Timeout]: CloseCode.TryAgainLater,
  [ErrorCode.Unavailable]: CloseCode.TryAgainLater,
  [ErrorCode.Internal]: CloseCode.InternalError,
};

/** Takes a connection from an open socket to its welcome frame. `SessionTeardown` knows how to undo each step. */
@Injectable()
export class ConnectionOpener {
  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly hooks: LifecycleHooks,
    private readonly subscriptions: SubscriptionRequests,
    private readonly interest: TopicInterest,
    private readonly presence: PresenceStore,
    private readonly registry: ConnectionRegistry,
    private readonly replay: Replay,
    private readonly replaced: ReplacedConnections,
    private readonly heartbeat: Heartbeat,
    private readonly background: BackgroundWork,
    private readonly logger: SampledLogger,
  ) {}

  /** Never rejects: a connection that cannot be opened is closed with a code that says why. */
  async open(session: Session, resumes: boolean): Promise<void> {
    this.heartbeat.watch(session);
    this.registry.addOpening(session.connection);
    try {
      const cameOnline = await this.prepareInTime(session);
      if (!session.end.hasBegun) this.welcome(session, resumes);
      // After the welcome, so that a hook that pushes to the account reaches this connection.
      if (cameOnline) this.reportOnline(session.connection);
    } catch (error) {
      this.refuse(session.connection, error);
    }
  }

  private prepareInTime(session: Session): Promise<boolean> {
    const { connectTimeoutMs } = this.settings.config;
    return within(this.prepare(session), connectTimeoutMs, () => {
      throw new LoopWsException(
        ErrorCode.Timeout,
        `The connection was not opened within ${connectTimeoutMs} ms.`,
      );
    });
  }

  /** Resolves with `true` when the account came online with this connection. */
  private async prepare(session: Session): Promise<boolean> {
    const { connection, end } = session;
    // Before the hook, so that an order of another server to disconnect the account arrives while the hook runs.
    await this.attachAccount(session);
    if (end.hasBegun) return false;
    await this.hooks.connect(connection);
    end.reach(Step.Accepted);
    await this.subscribeDefaults(connection);
    return end.hasBegun ? false : this.register(session);
  }

  private async subscribeDefaults(connection: LoopConnection): Promise<void> {
    const patterns = this.settings.defaultSubscriptions.map(({ text }) => text);
    if (patterns.length === 0) return;
    const { denied } = await this.subscriptions.grant(connection, patterns);
    const undecided = denied.find(({ code }) => code === ErrorCode.Unavailable);
    if (undecided === undefined) return;
    const message = `It cannot be decided right now whether "${undecided.pattern}" is allowed.`;
    throw new LoopWsException(ErrorCode.Unavailable, message);
  }

  private async attachAccount({ connection, end }: Session): Promise<void> {
    const attached = this.interest.retain([accountTopic(connection)]);
    end.reach(Step.Attached);
    await attached;
  }

  private async register({ connection, end }: Session): Promise<boolean> {
    const { cameOnline, others } = await this.registered(connection, end);
    if (!end.hasBegun) {
      this.background.track(
        'Closing replaced connections',
        this.replaced.closeElsewhere(others, connection),
      );
      return cameOnline;
    }
    // The connection has already ended. Its client may be on another server by now, so nothing is replaced on its
    // behalf.
    if (cameOnline) this.reportOnline(connection); // because its offline edge is reported too
    return false;
  }

  /**
   * Marks the step as reached only once the store has answered, even with a failure, so that no store sees an
   * `unregister` before its `register`.
   */
  private async registered(
    { registration }: LoopConnection,
    end: Session['end'],
  ): Promise<PresenceRegistered> {
    const answer = this.presence.register(registration);
    const settled = answer.then(ignore, ignore);
    this.background.track('Registering in presence', settled); // so that a shutdown waits for it
    try {
      return await answer;
    } finally {
      end.reach(Step.Registered);
    }
  }

  private reportOnline({ accountId }: LoopConnection): void {
    this.hooks.presenceEdge({ accountId, online: true });
  }

  private welcome(session: Session, resumes: boolean): void {
    const { connection, credentials } = session;
    const holder = this.registry.get(connection.accountId, connection.connectionId);
    if (holder?.isNewerThan(connection)) {
      connection.close(REPLACED.code, REPLACED.reason);
      return;
    }
    const positions = this.replay.positionsOf(connection);
    if (resumes && positions.size > 0) this.hold(session, positions);
    else for (const [topic, position] of positions) connection.gate.begin(topic, position);
    connection.markOpen(welcomeFrame(connection, credentials, positions, this.settings));
    this.registry.add(connection);
    session.start();
  }

  /**
   * A resuming client that does not send its positions within `connectTimeoutMs` continues from the welcome. The timer
   * restarts while a frame of the client is being handled.
   */
  private hold(session: Session, positions: ReadonlyMap<string, Position>): void {
    const { connection, end } = session;
    connection.gate.holdAll(positions);
    const onTimeout = (): void => {
      if (end.hasBegun) return;
      if (session.isBusy) timer.refresh();
      else this.background.track('A replay', this.continueInTime(connection));
    };
    const timer = setTimeout(onTimeout, this.settings.config.connectTimeoutMs).unref();
  }

  private continueInTime(connection: LoopConnection): Promise<void> {
    return within(
      this.replay.continueFromWelcome(connection),
      this.settings.config.handlerTimeoutMs,
      () => connection.close(CloseCode.TryAgainLater, 'It took too long.'),
    );
  }

  private refuse(connection: LoopConnection, error: unknown): void {
    const failure = toFrameError(error);
    logFailure(this.logger, 'Opening a connection', failure, error);
    const code = CLOSE_CODE_BY_ERROR[failure.code] ?? CloseCode.Forbidden;
    connection.close(code, failure.message);
  }
}

function ignore(): void {}
