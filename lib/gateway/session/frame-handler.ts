import { Inject, Injectable } from '@nestjs/common';
import type { LoopConnection } from '../../connections/loop-connection.js';
import { EventDispatcher } from '../../handlers/event.dispatcher.js';
import { logFailure, toFrameError } from '../../handlers/frame-error.js';
import { LoopWsException } from '../../loop-ws.errors.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../../loop-ws.settings.js';
import { ErrorCode } from '../../protocol/error-code.js';
import {
  type ClientFrame,
  type FrameId,
  idField,
  type ServerFrame,
} from '../../protocol/frames.js';
import { parseEventName } from '../../protocol/event-name.js';
import { encodeServerFrame } from '../../protocol/server-frame.encoder.js';
import { TextFrame } from '../../connections/text-frame.js';
import type { LazyAbort } from '../../util/lazy-abort.js';
import { andThen, isLater, type NowOrLater, settle } from '../../util/now-or-later.js';
import { SampledLogger } from '../../util/sampled-logger.js';
import { SharedDeadline } from '../../util/shared-deadline.js';
import { type ControlFrame, ControlFrames } from './control-frames.js';
import type { FrameSource } from './frame-source.js';

/** Frames that go through the connection's queue; all others are answered as they arrive. */
export type QueuedFrame = ControlFrame | EventFrame;

type EventFrame = Extract<ClientFrame, { op: 'event' }>;

/** Carries out what a client's frame asks for, and answers it. */
@Injectable()
export class FrameHandler {
  private readonly deadline: SharedDeadline;

  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly dispatcher: EventDispatcher,
    private readonly control: ControlFrames,
    private readonly logger: SampledLogger,
  ) {
    this.deadline = new SharedDeadline(settings.config.handlerTimeoutMs);
  }

  /**
   * Never throws and never rejects: any failure becomes one error frame. When it returns no promise, the frame has
   * already been handled.
   *
   * @param givenUp Aborted here when the time is up, and by the caller when the connection ends: then nobody waits for
   * the answer any more.
   */
  handle(source: FrameSource, frame: QueuedFrame, givenUp: LazyAbort): NowOrLater<void> {
    const { connection } = source;
    return settle(
      () => this.inTime(this.answerOf(source, frame, givenUp), givenUp),
      (answer) => {
        if (answer !== undefined) this.send(connection, answer);
      },
      (error) => {
        if (!givenUp.causedBy(error)) this.report(connection, error, frame);
      },
    );
  }

  private inTime<T>(answer: NowOrLater<T>, givenUp: LazyAbort): NowOrLater<T> {
    if (!isLater(answer)) return answer;
    return this.deadline.within(answer, () => {
      givenUp.abort();
      throw new LoopWsException(
        ErrorCode.Timeout,
        `The frame was not handled within ${this.settings.config.handlerTimeoutMs} ms.`,
      );
    });
  }

  private answerOf(
    source: FrameSource,
    frame: QueuedFrame,
    givenUp: LazyAbort,
  ): NowOrLater<ServerFrame | undefined> {
    return frame.op === 'event'
      ? this.event(source, frame, givenUp)
      : this.control.answerOf(source, frame, givenUp.signal);
  }

  private event(
    source: FrameSource,
    { event, data, id }: EventFrame,
    givenUp: LazyAbort,
  ): NowOrLater<ServerFrame | undefined> {
    if (!this.dispatcher.handles(event)) {
      this.refuse(source, event, id);
      return undefined;
    }
    const reply = this.dispatcher.dispatch(source.connection, event, data, givenUp);
    return andThen(reply, (answer) =>
      id === undefined ? undefined : { op: 'reply', id, data: answer },
    );
  }

  /** Handlers exist for declared services only, so the service is checked only when there is no handler. */
  private refuse(source: FrameSource, event: string, id: FrameId | undefined): void {
    if (this.settings.services.has(parseEventName(event)!.service)) {
      source.refuse(ErrorCode.NoHandler, 'No handler listens to this event.', id);
    } else {
      source.refuse(ErrorCode.UnknownService, 'This server has no such service.', id);
    }
  }

  private send(connection: LoopConnection, answer: ServerFrame): void {
    const frame = new TextFrame(encodeServerFrame(answer));
    const { maxEventBytes } = this.settings.config;
    if (frame.length > maxEventBytes) {
      throw new Error(
        `The reply is ${frame.length} bytes long, more than config.maxEventBytes (${maxEventBytes}).`,
      );
    }
    connection.deliver(frame);
  }

  /** The details of an error may not be JSON, or may be too large; that failure is then reported instead. */
  private report(connection: LoopConnection, error: unknown, frame: QueuedFrame): void {
    try {
      this.tell(connection, error, frame);
    } catch (cause) {
      const why =
        'The error that was thrown cannot be sent to the client: it is not JSON or is too large';
      this.tell(connection, new Error(why, { cause }), frame);
    }
  }

  private tell(connection: LoopConnection, error: unknown, frame: QueuedFrame): void {
    const failure = toFrameError(error);
    const what = frame.op === 'event' ? `The handler of "${frame.event}"` : `"${frame.op}"`;
    logFailure(this.logger, what, failure, error);
    const { code, message, details } = failure;
    this.send(connection, {
      op: 'error',
      ...idField(frame.id),
      code,
      message,
      ...(details === undefined ? {} : { details }),
    });
  }
}
