import type { ServerFrame, WelcomeFrame } from '../protocol/frames.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import { shouldReconnect } from '../protocol/close-code.js';
import { decodeServerFrame } from '../protocol/server-frame.codec.js';
import { subprotocolsFor } from './address.js';
import { clientError, messageOf, type LoopClientError } from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import { createKeepalive, type Keepalive } from './keepalive.js';
import type { LoopState, LoopStateChange } from './loop-state.js';
import { timerMs, type Timer } from './timer.js';
import { SOCKET_OPEN, type LoopWebSocket } from './web-socket.js';

export type FrameAfterWelcome = Exclude<ServerFrame, WelcomeFrame>;

export interface LinkObserver {
  /** The credentials of the next connection. */
  readonly token: () => Promise<string | undefined>;
  /** Whether the next connection goes on from where another one has been. */
  readonly resumes: () => boolean;
  /** The state has changed; frames can be written when it is `open`. */
  readonly changed: (change: LoopStateChange) => void;
  readonly received: (frame: FrameAfterWelcome) => void;
  /** Something went wrong that the application should hear of; the connection may live on. */
  readonly report: (error: LoopClientError) => void;
}

/** One connection after the other, until the application or the server says that it is enough. */
export interface Link {
  readonly state: LoopState;
  /** The last one: as long as it is the same object, so is the connection. */
  readonly welcome: WelcomeFrame | undefined;
  /** Bytes that the socket holds and the network has not taken. */
  readonly bufferedBytes: number;
  /** False as soon as the closing handshake has begun: sockets swallow what is written after it. */
  readonly writable: boolean;
  readonly start: () => void;
  /** Hands a frame to the socket; false when there is no open one. */
  readonly write: (text: string) => boolean;
  /** The server's wish for the wait after the coming close. Counted from the close, so that its spread survives. */
  readonly advise: (afterMs: number) => void;
  /** Ends for good. */
  readonly close: () => void;
}

/** Longest advice that is obeyed: a server with a broken clock must not send its clients away for a month. */
const LONGEST_ADVICE_MS = 300_000;

/** How long a socket may take for its closing handshake. */
const CLOSE_GRACE_MS = 2_000;

/** Every other id is a number, so the answer to this ping is never taken for that of a request. */
const PING = '{"op":"ping","id":"keepalive"}';

export function createLink(
  { address, backoff, connectTimeoutMs, random, WebSocket }: ClientSettings,
  { token, resumes, changed, received, report }: LinkObserver,
): Link {
  let state: LoopState = 'connecting';
  let welcome: WelcomeFrame | undefined;
  let socket: LoopWebSocket | undefined;
  let keepalive: Keepalive | undefined;
  /** Of the attempt, or of the wait for the next one. */
  let timer: Timer | undefined;
  let attempt = 0;
  /** Grows with each connection and each end of one: whatever knows another number comes too late. */
  let epoch = 0;
  let openedAt = Infinity;
  let adviceMs: number | undefined;

  function enter(change: LoopStateChange): void {
    state = change.state;
    changed(change);
  }

  async function start(): Promise<void> {
    const own = ++epoch;
    enter({ state: 'connecting', attempt });
    // A listener may have closed the client.
    if (own !== epoch) return;
    timer = setTimeout(
      () => giveUp(`no welcome within ${connectTimeoutMs} ms`),
      timerMs(connectTimeoutMs),
    );
    try {
      const protocols = subprotocolsFor(await token());
      if (own !== epoch) return;
      socket = new WebSocket(address(resumes()), protocols);
      socket.addEventListener('message', ({ data }) => {
        if (own === epoch) receive(data);
      });
      socket.addEventListener('close', ({ code, reason }) => {
        if (own === epoch) end(code, reason);
      });
      // The `ws` package throws errors that nobody listens to; a close event follows and is all that browsers tell.
      socket.addEventListener('error', () => {});
    } catch (cause) {
      if (own !== epoch) return;
      const error = clientError(
        'connect_failed',
        `The connection could not be opened: ${messageOf(cause)}`,
        { cause },
      );
      report(error);
      if (own === epoch) end(1006, error.message);
    }
  }

  function receive(data: unknown): void {
    keepalive?.heard();
    const frame = typeof data === 'string' ? decodeServerFrame(data) : undefined;
    if (frame === null) return;
    if (frame === undefined || (frame.op === 'welcome' && state === 'open')) {
      report(
        clientError('unreadable_frame', 'The server sent a frame that this client cannot read.', {
          details: typeof data === 'string' ? data.slice(0, 200) : 'binary',
        }),
      );
    } else if (frame.op === 'welcome') opened(frame);
    else received(frame);
  }

  function opened(frame: WelcomeFrame): void {
    clearTimeout(timer);
    welcome = frame;
    openedAt = performance.now();
    const { heartbeatMs } = frame;
    if (heartbeatMs > 0) {
      keepalive = createKeepalive(
        heartbeatMs,
        () => write(PING),
        () => giveUp('heartbeat lost'),
      );
    }
    enter({ state: 'open', welcome });
  }

  function write(text: string): boolean {
    try {
      if (!isWritable()) return false;
      socket?.send(text);
      return true;
    } catch {
      return false;
    }
  }

  const isWritable = (): boolean => state === 'open' && socket?.readyState === SOCKET_OPEN;

  /** The peer is not waited for: over a dead network the closing handshake takes minutes. */
  function giveUp(reason: string): void {
    hangUp(4408, reason);
    end(4408, reason);
  }

  function hangUp(code: number, reason: string): void {
    const given = socket;
    given?.close(code, reason);
    // The `ws` package waits half a minute for a peer that does not answer, and keeps the process alive.
    setTimeout(() => given?.terminate?.(), CLOSE_GRACE_MS).unref?.();
  }

  /** Once for each connection: at its close, or at the moment it is given up. */
  function end(code: number, reason: string): void {
    const unsentBytes = socket?.bufferedAmount ?? 0;
    forget();
    if (shouldReconnect(code)) {
      if (performance.now() - openedAt >= backoff.stableMs) attempt = 0;
      const nextAttemptMs = adviceMs ?? fullJitterMs(attempt++, backoff, random);
      openedAt = Infinity;
      adviceMs = undefined;
      timer = setTimeout(() => void start(), timerMs(nextAttemptMs));
      enter({ state: 'waiting', code, reason, nextAttemptMs });
    } else enter({ state: 'closed', code, reason });
    if (unsentBytes > 0) {
      report(
        clientError(
          'connection_lost',
          `The connection broke while ${unsentBytes} bytes were still on their way: the last events sent may not have arrived.`,
        ),
      );
    }
  }

  function forget(): void {
    epoch++;
    clearTimeout(timer);
    keepalive?.stop();
    socket = keepalive = undefined;
  }

  return {
    get state() {
      return state;
    },
    get welcome() {
      return welcome;
    },
    get bufferedBytes() {
      return socket?.bufferedAmount ?? 0;
    },
    get writable() {
      return isWritable();
    },
    start: () => void start(),
    write,
    advise(afterMs) {
      adviceMs = Math.min(Math.max(afterMs, 0), LONGEST_ADVICE_MS);
    },
    close() {
      if (state === 'closed') return;
      const reason = 'closed by the application';
      hangUp(1000, reason);
      forget();
      enter({ state: 'closed', code: 1000, reason });
    },
  };
}
