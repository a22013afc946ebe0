import type { ServerFrame, WelcomeFrame } from '../protocol/frames.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import { shouldReconnect } from '../protocol/close-code.js';
import { decodeServerFrame } from '../protocol/server-frame.codec.js';
import { subprotocolsFor } from './address.js';
import { clientError, messageOf, type LoopClientError } from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import { createKeepalive, type Keepalive } from './keepalive.js';
import type { LoopStateChange, LoopStatus } from './loop-state.js';
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
  readonly start: () => void;
  /** Hands a frame to the socket; false when there is no open one. */
  readonly write: (text: string) => boolean;
  /** Bytes that the socket holds and the network has not taken. */
  readonly bufferedBytes: () => number;
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
  loop: LoopStatus,
  { address, backoff, connectTimeoutMs, random, WebSocket }: ClientSettings,
  { token, resumes, changed, received, report }: LinkObserver,
): Link {
  let socket: LoopWebSocket | undefined;
  let keepalive: Keepalive | undefined;
  /** Of the attempt, or of the wait for the next one. */
  let timer: Timer | undefined;
  let attempt = 0;
  let openedAt = Infinity;
  let adviceMs: number | undefined;
  /** Grows with each connection and each end of one: whatever knows another number comes too late. */
  let epoch = 0;

  function enter(change: LoopStateChange): void {
    loop.state = change.state;
    changed(change);
  }

  async function start(): Promise<void> {
    const own = ++epoch;
    enter({ state: 'connecting', attempt });
    // A listener may have closed the client.
    if (own !== epoch) return;
    const tooLate = `no welcome within ${connectTimeoutMs} ms`;
    timer = setTimeout(() => giveUp(4408, tooLate), timerMs(connectTimeoutMs));
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
      const message = `The connection could not be opened: ${messageOf(cause)}`;
      if (own === epoch) report(clientError('connect_failed', message, { cause }));
      if (own === epoch) end(1006, message);
    }
  }

  function receive(data: unknown): void {
    keepalive?.heard();
    const frame = typeof data === 'string' ? decodeServerFrame(data) : undefined;
    if (frame === undefined || (frame.op === 'welcome' && loop.state === 'open')) {
      report(
        clientError('unreadable_frame', 'The server sent what is no frame; it was left out.', {
          details: String(data).slice(0, 200),
        }),
      );
    } else if (frame.op === 'welcome') opened(frame);
    else received(frame);
  }

  function opened(welcome: WelcomeFrame): void {
    const { heartbeatMs } = welcome;
    clearTimeout(timer);
    openedAt = performance.now();
    if (heartbeatMs > 0) {
      keepalive = createKeepalive(
        heartbeatMs,
        () => write(PING),
        () => giveUp(4408, 'heartbeat lost'),
      );
    }
    loop.welcome = welcome;
    enter({ state: 'open', welcome });
  }

  /** False as soon as the closing handshake has begun: sockets swallow what is written after it. */
  function write(text: string): boolean {
    try {
      const isWritable = loop.state === 'open' && socket?.readyState === SOCKET_OPEN;
      if (isWritable) socket?.send(text);
      return isWritable;
    } catch {
      return false;
    }
  }

  const bufferedBytes = (): number => socket?.bufferedAmount ?? 0;

  /** The peer is not waited for: over a dead network the closing handshake takes minutes. */
  function giveUp(code: number, reason: string, isLeaving?: boolean): void {
    const given = socket;
    given?.close(code, reason);
    // The `ws` package waits half a minute for a peer that does not answer, and keeps the process alive.
    setTimeout(() => given?.terminate?.(), CLOSE_GRACE_MS).unref?.();
    end(code, reason, isLeaving);
  }

  /** Once for each connection: at its close, or at the moment it is given up. */
  function end(code: number, reason: string, isLeaving = false): void {
    const unsentBytes = bufferedBytes();
    epoch++;
    clearTimeout(timer);
    keepalive?.stop();
    socket = keepalive = undefined;
    if (isLeaving || !shouldReconnect(code)) enter({ state: 'closed', code, reason });
    else {
      if (performance.now() - openedAt >= backoff.stableMs) attempt = 0;
      const nextAttemptMs = adviceMs ?? fullJitterMs(attempt++, backoff, random);
      openedAt = Infinity;
      adviceMs = undefined;
      timer = setTimeout(() => void start(), timerMs(nextAttemptMs));
      enter({ state: 'waiting', code, reason, nextAttemptMs });
    }
    if (unsentBytes > 0 && !isLeaving) {
      report(
        clientError(
          'connection_lost',
          `The connection broke with ${unsentBytes} bytes on their way: the last events sent may not have arrived.`,
        ),
      );
    }
  }

  return {
    start: () => void start(),
    write,
    bufferedBytes,
    advise(afterMs) {
      adviceMs = Math.min(Math.max(afterMs, 0), LONGEST_ADVICE_MS);
    },
    close() {
      if (loop.state !== 'closed') giveUp(1000, 'closed by the application', true);
    },
  };
}
