import { Injectable } from '@nestjs/common';
import { OpenAsks } from '../../bus/open-asks.js';
import { ConnectionRegistry } from '../../connections/connection-registry.js';
import { Heartbeat } from '../../connections/heartbeat.js';
import type { ConnectionClose } from '../../connections/loop-connection.js';
import { LifecycleHooks } from '../../handlers/lifecycle.hooks.js';
import { PresenceStore } from '../../presence/presence-store.js';
import { accountTopic } from '../../transport/topic.js';
import { TopicInterest } from '../../transport/topic-interest.js';
import { BackgroundWork } from '../../util/background-work.js';
import { SampledLogger } from '../../util/sampled-logger.js';
import type { Session } from './session.js';
import type { Teardown } from './session-end.js';
import { Step } from './session-step.js';

type Undo = (session: Session, close: ConnectionClose) => void;

/**
 * Undoes the steps of a session when it ends. All sessions share one list, so that each has to remember only how far it
 * got.
 */
@Injectable()
export class SessionTeardown implements Teardown<Session> {
  constructor(
    private readonly asks: OpenAsks,
    private readonly heartbeat: Heartbeat,
    private readonly registry: ConnectionRegistry,
    private readonly hooks: LifecycleHooks,
    private readonly interest: TopicInterest,
    private readonly presence: PresenceStore,
    private readonly background: BackgroundWork,
    private readonly logger: SampledLogger,
  ) {}

  /** In the order of undoing: the last step first. */
  private readonly undos: readonly (readonly [Step, Undo])[] = [
    [Step.Registered, (session) => this.unregister(session)],
    [Step.Accepted, ({ connection }, close) => this.hooks.disconnect(connection, close)],
    [Step.Attached, ({ connection }) => this.interest.release([accountTopic(connection)])],
    [Step.Listening, ({ connection }, close) => this.registry.remove(connection, close)],
    [Step.Listening, (session) => this.heartbeat.unwatch(session)],
    [Step.Listening, ({ connection }) => this.asks.abandon(connection)],
    [Step.Listening, (session) => session.stop()],
    [Step.Listening, ({ credentials }) => credentials.forget()],
  ];

  undoAll(reached: Step, session: Session, close: ConnectionClose): void {
    for (const [step, undo] of this.undos) if (step <= reached) this.run(undo, session, close);
  }

  undo(done: Step, session: Session, close: ConnectionClose): void {
    for (const [step, undo] of this.undos) if (step === done) this.run(undo, session, close);
  }

  private unregister({ connection: { registration } }: Session): void {
    const unregistered = Promise.resolve().then(() => this.presence.unregister(registration));
    this.background.track('Unregistering from presence', unregistered);
  }

  /** A failure must not keep the other parts from being undone. */
  private run(undo: Undo, session: Session, close: ConnectionClose): void {
    try {
      undo(session, close);
    } catch (error) {
      this.logger.error('end', 'A cleanup step of an ended connection failed', error);
    }
  }
}
