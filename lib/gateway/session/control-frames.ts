import { Inject, Injectable } from '@nestjs/common';
import { type Gained, PositionAnnouncer } from '../../bus/position-announcer.js';
import { Replay, type Since } from '../../bus/replay.js';
import { closeOnAbort } from '../../connections/close-on-abort.js';
import type { LoopConnection } from '../../connections/loop-connection.js';
import { LifecycleHooks } from '../../handlers/lifecycle.hooks.js';
import { LoopWsException } from '../../loop-ws.errors.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../../loop-ws.settings.js';
import { ErrorCode } from '../../protocol/error-code.js';
import type { LoopPattern } from '../../protocol/event-types.js';
import {
  type ClientFrame,
  type FrameId,
  idField,
  type ServerFrame,
  type TopicPositions,
} from '../../protocol/frames.js';
import { SampledLogger } from '../../util/sampled-logger.js';
import { TurnPace } from '../../util/turn-pace.js';
import type { FrameSource } from './frame-source.js';
import { type SubscriptionAnswer, SubscriptionRequests } from './subscription-requests.js';

/** Frames that change the connection itself, in contrast to events, which belong to the application. */
export type ControlFrame = Extract<ClientFrame, { op: 'subscribe' | 'unsubscribe' | 'auth' }>;

type SubscriptionGain = Gained<SubscriptionAnswer>;

/**
 * Starting a replay takes a few tenths of a millisecond, and the clients of a server that died request hundreds of
 * replays in one turn of the event loop.
 */
const REPLAYS_PER_TURN = 4;

/** Answers `subscribe`, `unsubscribe` and `auth`. */
@Injectable()
export class ControlFrames {
  private readonly pace = new TurnPace(REPLAYS_PER_TURN);

  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly subscriptions: SubscriptionRequests,
    private readonly hooks: LifecycleHooks,
    private readonly replay: Replay,
    private readonly announcer: PositionAnnouncer,
    private readonly logger: SampledLogger,
  ) {}

  /**
   * Resolves with `undefined` when the client has already been answered. Once the signal is aborted, no pattern is
   * granted or removed any more; if a replay or new credentials have begun to take effect by then, the connection is
   * closed.
   */
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
        return this.authenticate(source, frame.token, id, signal);
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
    const change = (): Promise<SubscriptionGain> => this.grant(connection, patterns, signal);
    if (since === undefined) return { op: 'ok', ...id, ...answerOf(await change()) };
    await this.pace.pass();
    await this.replay.run(connection, {
      since,
      change,
      tell: (gained, replayed) => {
        const answer = { ...answerOf(gained, since), ...replayed };
        connection.sendFrame({ op: 'ok', ...id, ...answer });
      },
      signal,
    });
    return undefined;
  }

  private async grant(
    connection: LoopConnection,
    patterns: readonly string[],
    signal: AbortSignal,
  ): Promise<SubscriptionGain> {
    const gained = await this.announcer.positionsGainedBy(connection, () =>
      this.subscriptions.grant(connection, patterns, signal),
    );
    const { granted } = gained.result;
    if (granted.length > 0) {
      await this.tell('@OnLoopSubscribe', this.hooks.subscribe(connection, granted));
    }
    return gained;
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

  /** Patterns that the new credentials do not allow are removed before the client is answered. */
  private async authenticate(
    source: FrameSource,
    token: string,
    id: { id?: FrameId },
    signal: AbortSignal,
  ): Promise<ServerFrame | undefined> {
    const refreshed = await source.refreshCredentials(token, signal);
    if ('refused' in refreshed) {
      source.refuse(refreshed.refused, refreshed.message, id.id);
      return undefined;
    }
    closeOnAbort(source.connection, signal);
    const removed = await this.subscriptions.review(source.connection, signal);
    if (removed === undefined) {
      refreshed.undo();
      const message =
        'It cannot be decided right now what these credentials allow; the old ones stay.';
      throw new LoopWsException(ErrorCode.Unavailable, message);
    }
    await this.tellUnsubscribed(source.connection, removed);
    return { op: 'ok', ...id, ...refreshed.told, removed };
  }

  private async tellUnsubscribed(
    connection: LoopConnection,
    patterns: readonly string[],
  ): Promise<void> {
    if (patterns.length === 0) return;
    await this.tell('@OnLoopUnsubscribe', this.hooks.unsubscribe(connection, patterns));
  }

  /**
   * A hook that fails does not undo what was granted or removed, so its error is logged and the client's answer is
   * unchanged.
   */
  private async tell(hook: string, told: Promise<void>): Promise<void> {
    await told.catch((error: unknown) => this.logger.error(hook, `${hook} failed`, error));
  }
}

/** Leaves the topics of `since` out of `positions`: `resumed` and `reset` report them. */
function answerOf(
  { result, positions }: SubscriptionGain,
  since: Since = {},
): SubscriptionAnswer & { positions?: TopicPositions } {
  const others = Object.entries(positions).filter(([topic]) => !Object.hasOwn(since, topic));
  return { ...result, ...(others.length > 0 && { positions: Object.fromEntries(others) }) };
}
