import { Inject, Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';
import { EventDispatcher } from '../handlers/event.dispatcher.js';
import { toFrameError } from '../handlers/frame-error.js';
import { LoopWsException } from '../loop-ws.errors.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { ErrorCode } from '../protocol/error-code.js';
import { type ClientFrame, idField, type ServerFrame } from '../protocol/frames.js';
import { parseEventName } from '../protocol/event-name.js';
import { encodeServerFrame } from '../protocol/server-frame.codec.js';
import { TextFrame } from '../connections/text-frame.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { within } from '../util/within.js';
import { type ControlFrame, ControlFrames } from './control-frames.js';
import type { FrameSource } from './frame-source.js';

/** Frames that are handled one after another; the others are answered as they come. */
export type QueuedFrame = ControlFrame | Extract<ClientFrame, { op: 'event' }>;

/** Does what a client's frame asks for, and answers it. */
@Injectable()
export class FrameHandler {
  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly dispatcher: EventDispatcher,
    private readonly control: ControlFrames,
    private readonly logger: SampledLogger,
  ) {}

  /**
   * Never rejects: whatever goes wrong becomes one error frame.
   *
   * @param givenUp Aborted here when the time is up, and by the caller when the connection has ended: nobody waits for
   * the answer any more.
   */
  async handle(source: FrameSource, frame: QueuedFrame, givenUp: AbortController): Promise<void> {
    try {
      const answer = await this.answerInTime(source, frame, givenUp);
      if (answer !== undefined) this.send(source.connection, answer);
    } catch (error) {
      const abandoned = givenUp.signal.aborted && error === givenUp.signal.reason;
      if (!abandoned) this.report(source.connection, error, frame);
    }
  }

  private answerInTime(
    source: FrameSource,
    frame: QueuedFrame,
    givenUp: AbortController,
  ): Promise<ServerFrame | undefined> {
    const { handlerTimeoutMs } = this.settings.config;
    return within(this.answerOf(source, frame, givenUp.signal), handlerTimeoutMs, () => {
      givenUp.abort();
      throw new LoopWsException(
        ErrorCode.Timeout,
        `The frame was not handled within ${handlerTimeoutMs} ms.`,
      );
    });
  }

  private answerOf(
    source: FrameSource,
    frame: QueuedFrame,
    signal: AbortSignal,
  ): Promise<ServerFrame | undefined> {
    return frame.op === 'event'
      ? this.event(source, frame, signal)
      : this.control.answerOf(source, frame, signal);
  }

  private async event(
    source: FrameSource,
    { event, data, id }: Extract<ClientFrame, { op: 'event' }>,
    signal: AbortSignal,
  ): Promise<ServerFrame | undefined> {
    if (!this.settings.services.has(parseEventName(event)!.service)) {
      source.refuse(ErrorCode.UnknownService, 'This server has no such service.', id);
      return undefined;
    }
    if (!this.dispatcher.handles(event)) {
      source.refuse(ErrorCode.NoHandler, 'No handler listens to this event.', id);
      return undefined;
    }
    const reply = await this.dispatcher.dispatch(source.connection, event, data, signal);
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
      const why =
        'The error that was thrown cannot be told to the client: it is not JSON, or too long';
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
      ...idField(frame.id),
      ...told,
    });
  }
}
