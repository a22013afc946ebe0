import type { ErrorFrame, FrameId, OkFrame, ServerFrame } from '../protocol/frames.js';
import { clientError, LoopClientError } from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import { byteLength, encodeFrame, type WireFrame } from './frame-text.js';
import type { Link } from './link.js';
import type { LoopStatus } from './loop-state.js';
import { createPace } from './pace.js';
import { after, type Timer } from './timer.js';

/** A frame that answers one of the client's frames. */
export type Answer = OkFrame | Extract<ServerFrame, { readonly op: 'reply' | 'pong' }>;

/** Sends a frame and resolves with its answer. Rejects with a {@link LoopClientError}. */
export type Ask = (frame: WireFrame, timeoutMs?: number) => Promise<Answer>;

/** A frame of the application, which waits to be written, and then for its answer if it wants one. */
interface Call {
  /** What the frame carries, as error messages name it. */
  readonly what: string;
  readonly text: string;
  readonly bytes: number;
  readonly end: (outcome: Answer | LoopClientError) => void;
}

/** The frames that the client sends to the server, and the answers it waits for. */
export interface Calls {
  /** Sends an event that wants no reply. Throws a {@link LoopClientError} when it can be neither sent nor buffered. */
  readonly send: (event: string, data: unknown) => void;
  /** Sends the frame as soon as there is an open connection. */
  readonly ask: Ask;
  /** Sends the frame on the connection that is open now, or rejects. */
  readonly askNow: Ask;
  /** Sends a frame that needs no answer on the connection that is open now; throws when that is impossible. */
  readonly sendNow: (frame: WireFrame) => void;
  /** Settles the call that the frame answers. An error that answers no call is reported to `onError`. */
  readonly answered: (answer: Answer | ErrorFrame) => void;
  /** Sends the frames that wait, in order and as fast as the server accepts them. */
  readonly flush: () => void;
  readonly close: () => void;
}

export function createCalls(
  loop: Readonly<LoopStatus>,
  { maxBufferedBytes, requestTimeoutMs }: ClientSettings,
  link: Pick<Link, 'write' | 'bufferedAmount'>,
  report: (error: LoopClientError) => void,
): Calls {
  /** Calls that are not written yet. */
  const waiting = new Set<Call>();
  /** Calls without an answer yet, by the `id` of their frame. */
  const open = new Map<FrameId | undefined, Call>();
  const takePlace = createPace();
  let waitingBytes = 0;
  let lastId = 0;
  let timer: Timer | undefined;

  /** The server closes a connection that sends a longer frame, and all other frames on it would be lost too. */
  function tooLong({ what, bytes }: Call): LoopClientError | false {
    const { maxPayload = Infinity } = loop.welcome ?? {};
    return bytes > maxPayload && clientError('frame_too_large', what, bytes, maxPayload);
  }

  function noRoom({ what, bytes }: Call): LoopClientError | false {
    const held = waitingBytes + link.bufferedAmount();
    return (
      held + bytes > maxBufferedBytes &&
      clientError('buffer_full', what, bytes, held, maxBufferedBytes)
    );
  }

  function post(call: Call): void {
    const refusal = loop.state === 'closed' ? clientError('closed') : tooLong(call) || noRoom(call);
    if (refusal) throw refusal;
    waiting.add(call);
    waitingBytes += call.bytes;
    flush();
  }

  function writeNow(call: Call): void {
    const refusal = tooLong(call) || (!link.write(call.text) && clientError('not_open', call.what));
    if (refusal) throw refusal;
  }

  function drop(call: Call): void {
    if (waiting.delete(call)) waitingBytes -= call.bytes;
  }

  function flush(): void {
    for (const call of waiting) {
      if (loop.state !== 'open' || timer) return;
      const refusal = tooLong(call);
      const waitMs = refusal ? 0 : takePlace(loop.welcome!, call.bytes);
      if (waitMs > 0) {
        timer = after(waitMs, () => {
          timer = undefined;
          flush();
        });
      } else if (refusal || link.write(call.text)) {
        drop(call);
        if (refusal) call.end(refusal);
      } else return;
    }
  }

  function callOf(frame: WireFrame, end: Call['end']): Call {
    const text = encodeFrame(frame);
    return { what: `"${frame.op ?? frame.event}"`, text, bytes: byteLength(text), end };
  }

  const askBy =
    (put: (call: Call) => void): Ask =>
    (frame, timeoutMs = requestTimeoutMs) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        let timeout: Timer | undefined;
        const call = callOf({ ...frame, id }, (outcome) => {
          clearTimeout(timeout);
          open.delete(id);
          drop(call);
          if (outcome instanceof LoopClientError) reject(outcome);
          else resolve(outcome);
        });
        put(call);
        open.set(id, call);
        timeout = after(timeoutMs, () =>
          call.end(clientError('timeout', call.what, timeoutMs, !waiting.has(call))),
        );
      });

  return {
    send: (event, data) => post(callOf({ event, data }, report as Call['end'])),
    ask: askBy(post),
    askNow: askBy(writeNow),
    sendNow: (frame) => writeNow(callOf(frame, () => {})),
    answered(answer) {
      const call = open.get(answer.id);
      if (answer.op !== 'error') return call?.end(answer);
      (call?.end ?? report)(new LoopClientError(answer.code, answer.message, answer));
    },
    flush,
    close() {
      clearTimeout(timer);
      timer = undefined;
      for (const call of [...open.values(), ...waiting]) {
        const isWaiting = waiting.has(call);
        // Frames that were not written yet are written on the next connection.
        if (isWaiting && loop.state !== 'closed') continue;
        drop(call);
        call.end(clientError(isWaiting ? 'closed' : 'connection_lost', call.what));
      }
    },
  };
}
