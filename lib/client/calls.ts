import type { ErrorFrame, FrameId, OkFrame, ServerFrame } from '../protocol/frames.js';
import { isEventName } from '../protocol/event-name.js';
import { clientError, closedError, LoopClientError, LoopRequestError } from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import { byteLength, encodeFrame, type WireFrame } from './frame-text.js';
import type { Link } from './link.js';
import { createPace } from './pace.js';
import { timerMs, type Timer } from './timer.js';

/** A frame that answers one of ours. */
export type Answer = OkFrame | Extract<ServerFrame, { readonly op: 'reply' | 'pong' }>;

/** Asks the server something. `what` names it in sentences. Rejects with a {@link LoopClientError}. */
export type Ask = (frame: WireFrame, what: string, timeoutMs?: number) => Promise<Answer>;

/** A frame of the application: it waits to be written, and then perhaps for its answer. */
interface Call {
  readonly what: string;
  readonly text: string;
  readonly bytes: number;
  fail(error: LoopClientError): void;
  answer?(answer: Answer): void;
}

/** What the client says to the server, and the answers it waits for. */
export interface Calls {
  /** Sends an event and wants no reply. Throws a {@link LoopClientError} when it can be neither sent nor kept. */
  readonly send: (event: string, data: unknown) => void;
  /** Sends an event and resolves with the data of the reply. */
  readonly request: (event: string, data: unknown, timeoutMs?: number) => Promise<unknown>;
  /** Asks as soon as there is a connection. */
  readonly ask: Ask;
  /** Asks on the connection that is open now, or not at all. */
  readonly askNow: Ask;
  readonly answered: (answer: Answer) => void;
  /** An error that belongs to no call is told to whoever listens for problems. */
  readonly refused: (frame: ErrorFrame) => void;
  readonly connected: () => void;
  /** Sends what has waited, in order and as fast as the server takes it. */
  readonly release: () => void;
  readonly disconnected: () => void;
}

export function createCalls(
  { maxBufferedBytes, requestTimeoutMs }: ClientSettings,
  link: Link,
  report: (error: LoopClientError) => void,
): Calls {
  /** Not written yet. */
  const waiting = new Set<Call>();
  /** Without an answer yet. */
  const open = new Map<FrameId | undefined, Call>();
  let waitingBytes = 0;
  let lastId = 0;
  let pace = createPace({});
  let timer: Timer | undefined;

  /** The server closes a connection that sends a longer frame, and every other frame on it would be lost too. */
  function tooLong({ what, bytes }: Call): LoopClientError | undefined {
    const { maxPayload = Infinity } = link.welcome ?? {};
    return bytes > maxPayload
      ? clientError(
          'frame_too_large',
          `${what} takes ${bytes} bytes and the server accepts ${maxPayload}: send less at once, or raise "maxPayload" on the server.`,
        )
      : undefined;
  }

  function noRoom({ what, bytes }: Call): LoopClientError | undefined {
    const held = waitingBytes + link.bufferedBytes;
    // A single frame that nothing is in front of needs no buffer.
    return held + bytes > maxBufferedBytes && (held > 0 || !link.writable)
      ? clientError(
          'buffer_full',
          `${what} was not sent: it takes ${bytes} bytes, ${held} wait already and "maxBufferedBytes" is ${maxBufferedBytes}. Wait until the client is open, send less, or raise the option.`,
        )
      : undefined;
  }

  function post(call: Call): void {
    if (link.state === 'closed') throw closedError();
    const refusal = tooLong(call) ?? noRoom(call);
    if (refusal !== undefined) throw refusal;
    waiting.add(call);
    waitingBytes += call.bytes;
    release();
  }

  function drop(call: Call): void {
    if (waiting.delete(call)) waitingBytes -= call.bytes;
  }

  function writeInPace(text: string): boolean {
    if (!link.writable || pace.waitMs() > 0) return false;
    pace.take();
    return link.write(text);
  }

  function release(): void {
    for (const call of waiting) {
      const refusal = tooLong(call);
      if (refusal === undefined && !writeInPace(call.text)) break;
      drop(call);
      if (refusal !== undefined) call.fail(refusal);
    }
    if (waiting.size > 0 && link.writable) {
      timer ??= setTimeout(() => {
        timer = undefined;
        release();
      }, timerMs(pace.waitMs()));
    }
  }

  function callOf(frame: WireFrame, what: string, fail: Call['fail']): Call {
    const text = encodeFrame(frame);
    return { what, text, bytes: byteLength(text), fail };
  }

  function askBy(put: (call: Call) => void): Ask {
    return (frame, what, timeoutMs = requestTimeoutMs) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        let timeout: Timer | undefined;
        const end = (): void => {
          clearTimeout(timeout);
          open.delete(id);
          drop(call);
        };
        const call: Call = {
          ...callOf({ ...frame, id }, what, ({ code, message, details }) => {
            end();
            reject(new LoopRequestError(code, message, { details }));
          }),
          answer(answer) {
            end();
            resolve(answer);
          },
        };
        put(call);
        open.set(id, call);
        timeout = setTimeout(
          () =>
            call.fail(
              clientError(
                'timeout',
                waiting.has(call)
                  ? `No connection within ${timeoutMs} ms: ${what} was taken out of the buffer and never sent.`
                  : `No answer to ${what} within ${timeoutMs} ms; whether the server acted on it is unknown.`,
              ),
            ),
          timerMs(timeoutMs),
        );
      });
  }

  const ask = askBy(post);

  return {
    ask,
    askNow: askBy(({ what, text }) => {
      if (link.write(text)) return;
      throw new LoopRequestError(
        'not_open',
        `There is no open connection for ${what}: wait for ready().`,
      );
    }),
    send(event, data) {
      post(callOf({ event: checkedName(event), data }, `"${event}"`, report));
    },
    async request(event, data, timeoutMs) {
      const answer = await ask({ event: checkedName(event), data }, `"${event}"`, timeoutMs);
      return answer.op === 'reply' ? answer.data : undefined;
    },
    answered(answer) {
      open.get(answer.id)?.answer?.(answer);
    },
    refused({ id, code, message, details }) {
      const error = new LoopClientError(code, message, { details });
      const call = open.get(id);
      if (call === undefined) report(error);
      else call.fail(error);
    },
    connected() {
      pace = createPace(link.welcome ?? {});
    },
    release,
    disconnected() {
      clearTimeout(timer);
      timer = undefined;
      for (const call of open.values()) {
        if (waiting.has(call)) continue;
        call.fail(
          clientError(
            'connection_lost',
            `The connection broke after ${call.what} was written, so it is unknown whether the server acted on it; it is not sent again.`,
          ),
        );
      }
      if (link.state !== 'closed') return;
      for (const call of waiting) {
        drop(call);
        call.fail(
          clientError('closed', `The client was closed before ${call.what} could be sent.`),
        );
      }
    },
  };
}

/** The name, if it is a full one: the types let through what JavaScript or a cast makes of it. */
export function checkedName(name: string): string {
  if (isEventName(name)) return name;
  throw clientError(
    'bad_name',
    `"${name}" is not the full name of an event: use one such as "chat:message.send".`,
  );
}
