import { Inject, Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';
import { EventDispatcher } from '../handlers/event.dispatcher.js';
import { toFrameError } from '../handlers/frame-error.js';
import { LifecycleHooks } from '../handlers/lifecycle.hooks.js';
import { LoopWsException } from '../loop-ws.errors.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { ErrorCode } from '../protocol/error-code.js';
import type { ClientFrame, FrameId, ServerFrame } from '../protocol/frames.js';
import { parseEventName } from '../protocol/event-name.js';
import type { LoopPattern } from '../protocol/event-types.js';
import { encodeServerFrame } from '../protocol/server-frame.codec.js';
import { TextFrame } from '../connections/text-frame.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { within } from '../util/within.js';
import type { RefreshedCredentials } from './credentials.js';
import { SubscriptionRequests } from './subscription-requests.js';

/** Frames that are handled one after another; the others are answered as they come. */
export type QueuedFrame = Exclude<ClientFrame, { op: 'ping' | 'answer' }>;

/** What a frame needs of the session that received it. */
export interface FrameSource {
  readonly connection: LoopConnection;
  /** Tells the peer that the frame broke the protocol, and counts it. */
  refuse(code: ErrorCode, message: string, id?: FrameId): void;
  refreshCredentials(token: string): Promise<RefreshedCredentials>;
}

/** Does what a client's frame asks for, and answers it. */
@Injectable()
export class FrameHandler {
  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly dispatcher: EventDispatcher,
    private readonly subscriptions: SubscriptionRequests,
    private readonly hooks: LifecycleHooks,
    private readonly logger: SampledLogger,
  ) {}

  /** Never rejects: whatever goes wrong becomes one error frame. */
  async handle(source: FrameSource, frame: QueuedFrame): Promise<void> {
    const { handlerTimeoutMs } = this.settings.config;
    try {
      const answer = await within(this.answerOf(source, frame), handlerTimeoutMs, () => {
        throw new LoopWsException(
          ErrorCode.Timeout,
          `The frame was not handled within ${handlerTimeoutMs} ms.`,
        );
      });
      if (answer !== undefined) this.send(source.connection, answer);
    } catch (error) {
      this.report(source.connection, error, frame);
    }
  }

  private async answerOf(
    source: FrameSource,
    frame: QueuedFrame,
  ): Promise<ServerFrame | undefined> {
    const id = frame.id === undefined ? {} : { id: frame.id };
    switch (frame.op) {
      case 'subscribe':
        return this.subscribe(source, frame.patterns, id);
      case 'unsubscribe':
        return {
          op: 'ok',
          ...id,
          removed: await this.unsubscribe(source.connection, frame.patterns),
        };
      case 'auth':
        return this.authenticate(source, frame.token, id);
      case 'event':
        return this.event(source, frame);
    }
  }

  private async subscribe(
    source: FrameSource,
    patterns: readonly string[],
    id: { id?: FrameId },
  ): Promise<ServerFrame | undefined> {
    const { maxSubscriptions } = this.settings.config;
    if (patterns.length > maxSubscriptions) {
      const message = `A connection holds at most ${maxSubscriptions} patterns.`;
      source.refuse(ErrorCode.TooManySubscriptions, message, id.id);
      return undefined;
    }
    const answer = await this.subscriptions.grant(source.connection, patterns);
    if (answer.granted.length > 0) await this.hooks.subscribe(source.connection, answer.granted);
    return { op: 'ok', ...id, ...answer };
  }

  private async unsubscribe(
    connection: LoopConnection,
    patterns: readonly string[],
  ): Promise<readonly string[]> {
    const removed = patterns.filter((text) => connection.subscriptions.has(text));
    connection.unsubscribe(...(removed as LoopPattern[]));
    if (removed.length > 0) await this.hooks.unsubscribe(connection, removed);
    return removed;
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
    if (removed.length > 0) await this.hooks.unsubscribe(source.connection, removed);
    return { op: 'ok', ...id, ...refreshed, removed };
  }

  private async event(
    source: FrameSource,
    { event, data, id }: Extract<ClientFrame, { op: 'event' }>,
  ): Promise<ServerFrame | undefined> {
    if (!this.settings.services.has(parseEventName(event)!.service)) {
      source.refuse(ErrorCode.UnknownService, 'This server has no such service.', id);
      return undefined;
    }
    if (!this.dispatcher.handles(event)) {
      source.refuse(ErrorCode.NoHandler, 'No handler listens to this event.', id);
      return undefined;
    }
    const reply = await this.dispatcher.dispatch(source.connection, event, data);
    return id === undefined ? undefined : { op: 'reply', id, data: reply };
  }

  private send(connection: LoopConnection, answer: ServerFrame): void {
    const frame = new TextFrame(encodeServerFrame(answer));
    const { maxEventBytes } = this.settings.config;
    if (frame.length > maxEventBytes) {
      throw new Error(
        `The reply has ${frame.length} bytes, more than config.maxEventBytes (${maxEventBytes}).`,
      );
    }
    connection.deliver(frame);
  }

  /** An error may carry details that are not JSON; then that is the failure. */
  private report(connection: LoopConnection, error: unknown, frame: QueuedFrame): void {
    try {
      this.tell(connection, error, frame);
    } catch (cause) {
      const why = `The error that it threw cannot be told to the client: ${String(cause)}`;
      this.tell(connection, new Error(why, { cause }), frame);
    }
  }

  private tell(connection: LoopConnection, error: unknown, frame: QueuedFrame): void {
    const { reference, ...told } = toFrameError(error);
    if (reference !== undefined) {
      const what = frame.op === 'event' ? `The handler of "${frame.event}"` : `"${frame.op}"`;
      this.logger.error(what, `${what} failed (${reference})`, error);
    }
    this.send(connection, {
      op: 'error',
      ...(frame.id === undefined ? {} : { id: frame.id }),
      ...told,
    });
  }
}
