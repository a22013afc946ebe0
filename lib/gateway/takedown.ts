import { Injectable } from '@nestjs/common';
import { OpenAsks } from '../bus/open-asks.js';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { Heartbeat } from '../connections/heartbeat.js';
import type { ConnectionClose } from '../connections/loop-connection.js';
import { LifecycleHooks } from '../handlers/lifecycle.hooks.js';
import { PresenceStore } from '../presence/presence-store.js';
import { accountTopic } from '../transport/topic.js';
import { TopicInterest } from '../transport/topic-interest.js';
import { BackgroundWork } from '../util/background-work.js';
import { SampledLogger } from '../util/sampled-logger.js';
import type { Session } from './session.js';

/** How far a connection has come. Each step comes after those above it. */
export const Step = {
  /** To its socket. It is watched, and may subscribe and join. */
  Listening: 0,
  /** `@OnLoopConnect` has let it in. */
  Greeted: 1,
  /** What other servers send to its account is asked for. */
  Attached: 2,
  /** Presence was asked to register it, and has answered. */
  Registered: 3,
} as const;

export type Step = (typeof Step)[keyof typeof Step];

type Undo = (session: Session, close: ConnectionClose) => void;

/**
 * What must be undone when a session ends. One list for all sessions, so that each need only remember how far it has come.
 */
@Injectable()
export class Takedown {
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

  /** In the order in which it is undone: last done first. */
  private readonly undos: readonly (readonly [Step, Undo])[] = [
    [Step.Registered, (session) => this.unregister(session)],
    [Step.Attached, ({ connection }) => this.interest.release([accountTopic(connection)])],
    [Step.Greeted, ({ connection }, close) => this.hooks.disconnect(connection, close)],
    [Step.Listening, ({ connection }, close) => this.registry.remove(connection, close)],
    [Step.Listening, (session) => this.heartbeat.unwatch(session)],
    [Step.Listening, ({ connection }) => this.asks.abandon(connection)],
    [Step.Listening, (session) => session.stop()],
    [Step.Listening, ({ credentials }) => credentials.forget()],
  ];

  /** Everything up to the step. */
  undoAll(reached: Step, session: Session, close: ConnectionClose): void {
    for (const [step, undo] of this.undos) if (step <= reached) this.run(undo, session, close);
  }

  /** What belongs to this step alone. */
  undo(done: Step, session: Session, close: ConnectionClose): void {
    for (const [step, undo] of this.undos) if (step === done) this.run(undo, session, close);
  }

  private unregister({ connection: { registration } }: Session): void {
    const unregistered = Promise.resolve().then(() => this.presence.unregister(registration));
    this.background.track('Unregistering from presence', unregistered);
  }

  /** One that fails must not keep the others from being done. */
  private run(undo: Undo, session: Session, close: ConnectionClose): void {
    try {
      undo(session, close);
    } catch (error) {
      this.logger.error('end', 'A part of a connection could not be taken down', error);
    }
  }
}
