import type { ServerFrame, WelcomeFrame } from '../protocol/frames.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import { shouldReconnect } from '../protocol/close-code.js';
import { decodeServerFrame } from '../protocol/server-frame.codec.js';
import { socketAddress, subprotocolsFor } from './address.js';
import { clientError, failure, type LoopClientError } from './client-errors.js';
import type { ClientSettings, UrlSource } from './client-options.js';
import { createKeepalive, type Keepalive } from './keepalive.js';
import type { LoopStateChange, LoopStatus } from './loop-state.js';
import { timerMs, type Timer } from './timer.js';
import { SOCKET_OPEN, type LoopCloseEvent, type LoopWebSocket } from './web-socket.js';

export type FrameAfterWelcome = Exclude<ServerFrame, WelcomeFrame>;

export interface LinkObserver {
  /** The credentials of the next connection. */
  readonly token: () => Promise<string | undefined>;
  /** Whether the next connection goes on from where another one has been. */
  readonly resume: () => boolean;
  /** The state has changed; frames can be written when it is `open`. */
  readonly onState: (change: LoopStateChange) => void;
  readonly onFrame: (frame: FrameAfterWelcome) => void;
  /** Something went wrong that the application should hear of; the connection may live on. */
  readonly onError: (error: LoopClientError) => void;
}

/** One connection after the other, until the application or the server says that it is enough. */
export interface Link {
  readonly start: () => Promise<void>;
  /** Hands a frame to the socket; false when there is no open one. */
  readonly write: (text: string) => boolean;
  /** Bytes that the socket holds and the network has not taken. */
  readonly bufferedAmount: () => number;
  /** The server's wish for the wait after the coming close. Counted from the close, so that its spread survives. */
  readonly reconnect: (afterMs: number) => void;
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
  url: UrlSource,
  { backoff, connectionId, connectTimeoutMs, random, WebSocket }: ClientSettings,
  { token, resume, onState, onFrame, onError }: LinkObserver,
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
    onState(change);
  }

  async function start(): Promise<void> {
    const own = ++epoch;
    const whileCurrent =
      <T>(run: (event: T) => void) =>
      (event: T) => {
        if (own === epoch) run(event);
      };
    enter({ state: 'connecting', attempt });
    // A listener may have closed the client.
    if (own !== epoch) return;
    const reason = `no welcome within ${connectTimeoutMs} ms`;
    timer = setTimeout(() => giveUp({ code: 4408, reason }), timerMs(connectTimeoutMs));
    try {
      const protocols = subprotocolsFor(await token());
      if (own !== epoch) return;
      const address = typeof url === 'function' ? url() : url;
      socket = new WebSocket(socketAddress(address, connectionId, resume()), protocols);
      socket.addEventListener('message', whileCurrent(receive));
      socket.addEventListener('close', whileCurrent(end));
      // The `ws` package throws errors that nobody listens to; a close event follows and is all that browsers tell.
      socket.addEventListener('error', () => {});
    } catch (cause) {
      const error = failure('connect_failed', cause);
      whileCurrent(onError)(error);
      whileCurrent(end)({ code: 1006, reason: error.message });
    }
  }

  function receive({ data }: { readonly data: unknown }): void {
    keepalive?.heard();
    const frame = typeof data === 'string' ? decodeServerFrame(data) : undefined;
    if (frame?.op === 'welcome' && loop.state !== 'open') opened(frame);
    else if (frame && frame.op !== 'welcome') onFrame(frame);
    else {
      onError(
        clientError('unreadable_frame', [], { details: String(data).slice(0, 200) }),
      );
    }
  }

  function opened(welcome: WelcomeFrame): void {
    const { heartbeatMs } = welcome;
    clearTimeout(timer);
    openedAt = performance.now();
    if (heartbeatMs > 0) {
      keepalive = createKeepalive(
        heartbeatMs,
        () => write(PING),
        () => giveUp({ code: 4408, reason: 'heartbeat lost' }),
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

  const bufferedAmount = (): number => socket?.bufferedAmount ?? 0;

  /** The peer is not waited for: over a dead network the closing handshake takes minutes. */
  function giveUp(close: LoopCloseEvent, isLeaving?: boolean): void {
    const given = socket;
    given?.close(close.code, close.reason);
    // The `ws` package waits half a minute for a peer that does not answer, and keeps the process alive.
    setTimeout(() => given?.terminate?.(), CLOSE_GRACE_MS).unref?.();
    end(close, isLeaving);
  }

  /** Once for each connection: at its close, or at the moment it is given up. */
  function end({ code, reason }: LoopCloseEvent, isLeaving = false): void {
    const unsentBytes = bufferedAmount();
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
      onError(clientError('connection_lost', [`the last ${unsentBytes} bytes`]));
    }
  }

  return {
    start,
    write,
    bufferedAmount,
    reconnect(afterMs) {
      adviceMs = Math.min(Math.max(afterMs, 0), LONGEST_ADVICE_MS);
    },
    close() {
      const reason = 'closed by the application';
      if (loop.state !== 'closed') giveUp({ code: 1000, reason }, true);
    },
  };
}
