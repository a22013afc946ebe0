import { Inject, Injectable } from '@nestjs/common';
import { PositionNews, type PositionTexts } from '../bus/position-news.js';
import { Replay, tellReset } from '../bus/replay.js';
import type { LoopConnection } from '../connections/loop-connection.js';
import { LifecycleHooks } from '../handlers/lifecycle.hooks.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { ErrorCode } from '../protocol/error-code.js';
import type { LoopPattern } from '../protocol/event-types.js';
import { type ClientFrame, type FrameId, idField, type ServerFrame } from '../protocol/frames.js';
import { SampledLogger } from '../util/sampled-logger.js';
import type { FrameSource } from './frame-source.js';
import { SubscriptionRequests } from './subscription-requests.js';

/** Frames that change what a connection is, in contrast to events, which are the application's. */
export type ControlFrame = Extract<ClientFrame, { op: 'subscribe' | 'unsubscribe' | 'auth' }>;

/** Answers `subscribe`, `unsubscribe` and `auth`. */
@Injectable()
export class ControlFrames {
  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly subscriptions: SubscriptionRequests,
    private readonly hooks: LifecycleHooks,
    private readonly replay: Replay,
    private readonly news: PositionNews,
    private readonly logger: SampledLogger,
  ) {}

  /** Resolves without a frame when the source has been answered already. Takes no effect once the signal is aborted. */
  answerOf(
    source: FrameSource,
    frame: ControlFrame,
    signal: AbortSignal,
  ): Promise<ServerFrame | undefined> {
    const id = idField(frame.id);
    switch (frame.op) {
      case 'subscribe':
        return this.subscribe(source, frame, id, signal);
      case 'unsubscribe':
        return this.unsubscribe(source.connection, frame.patterns, id);
      case 'auth':
        return this.authenticate(source, frame.token, id);
    }
  }

  private async subscribe(
    source: FrameSource,
    { patterns, since }: Extract<ControlFrame, { op: 'subscribe' }>,
    id: { id?: FrameId },
    signal: AbortSignal,
  ): Promise<ServerFrame | undefined> {
    const { maxSubscriptions } = this.settings.config;
    if (patterns.length > maxSubscriptions) {
      const message = `A connection holds at most ${maxSubscriptions} patterns.`;
      source.refuse(ErrorCode.TooManySubscriptions, message, id.id);
      return undefined;
    }
    const { connection } = source;
    const { result: answer, positions } = await this.news.gainedBy(connection, () =>
      this.subscriptions.grant(connection, patterns, signal),
    );
    if (answer.granted.length > 0) {
      await this.tell('@OnLoopSubscribe', this.hooks.subscribe(connection, answer.granted));
    }
    if (since === undefined) return { op: 'ok', ...id, ...answer, ...ifAny(positions) };
    const others = Object.entries(positions).filter(([topic]) => !Object.hasOwn(since, topic));
    await this.replay.run(connection, since, (replayed) => {
      if (signal.aborted) return tellReset(connection, replayed.reset); // the frame was answered with a timeout
      const told = { ...answer, ...replayed, ...ifAny(Object.fromEntries(others)) };
      connection.sendFrame({ op: 'ok', ...id, ...told });
    });
    return undefined;
  }

  private async unsubscribe(
    connection: LoopConnection,
    patterns: readonly string[],
    id: { id?: FrameId },
  ): Promise<ServerFrame> {
    const removed = patterns.filter((text) => connection.subscriptions.has(text));
    connection.unsubscribe(...(removed as LoopPattern[]));
    await this.tellUnsubscribed(connection, removed);
    return { op: 'ok', ...id, removed };
  }

  /** Patterns that the new credentials do not allow end before the client is told. */
  private async authenticate(
    source: FrameSource,
    token: string,
    id: { id?: FrameId },
  ): Promise<ServerFrame | undefined> {
    const refreshed = await source.refreshCredentials(token);
    if ('refused' in refreshed) {
      source.refuse(refreshed.refused, refreshed.message, id.id);
      return undefined;
    }
    const removed = await this.subscriptions.review(source.connection);
    await this.tellUnsubscribed(source.connection, removed);
    return { op: 'ok', ...id, ...refreshed, removed };
  }

  private async tellUnsubscribed(
    connection: LoopConnection,
    patterns: readonly string[],
  ): Promise<void> {
    if (patterns.length === 0) return;
    await this.tell('@OnLoopUnsubscribe', this.hooks.unsubscribe(connection, patterns));
  }

  /** What was granted or taken stands, whatever a hook makes of it; so the client is told the truth. */
  private async tell(hook: string, told: Promise<void>): Promise<void> {
    await told.catch((error: unknown) => this.logger.error(hook, `${hook} failed`, error));
  }
}

function ifAny(positions: PositionTexts): { positions?: PositionTexts } {
  return Object.keys(positions).length > 0 ? { positions } : {};
}
