import type { ServerFrame, WelcomeFrame } from '../protocol/frames.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import { shouldReconnect } from '../protocol/close-code.js';
import { socketAddress, subprotocolsFor } from './address.js';
import { clientError, clientErrorWith, failure, type LoopClientError } from './client-errors.js';
import type { ClientSettings, UrlSource } from './client-options.js';
import type { LoopStateChange, LoopStatus } from './loop-state.js';
import { after, type Timer } from './timer.js';
import {
  SOCKET_CONNECTING,
  SOCKET_OPEN,
  type LoopCloseEvent,
  type LoopWebSocket,
} from './web-socket.js';

export interface LinkObserver {
  /** The token for the next connection. */
  readonly token: () => Promise<string | undefined>;
  /** Whether the next connection resumes from where an earlier one was. */
  readonly resume: () => boolean;
  /** The state has changed; frames can be written when it is `open`. */
  readonly onState: (change: LoopStateChange) => void;
  /** The frame is not checked beyond its `op`: if this throws, it is reported as an unreadable frame. */
  readonly onFrame: (frame: ServerFrame) => void;
  /** Called with a problem that the application should hear of; the connection may live on. */
  readonly onError: (error: LoopClientError) => void;
}

/** Keeps one connection after another, until the application or the server ends it permanently. */
export interface Link {
  readonly start: () => Promise<void>;
  /** Hands a frame to the socket; returns `false` when none is open. */
  readonly write: (text: string) => boolean;
  /** Bytes that the socket holds and the network has not taken yet. */
  readonly bufferedAmount: () => number;
  /**
   * Sets how long to wait after the coming close, as the server asked. It is counted from the close, so that the
   * server's spread is kept.
   */
  readonly reconnect: (afterMs: number) => void;
  /** Closes the link permanently. */
  readonly close: () => void;
}

/**
 * The longest wait that a server can ask for, in milliseconds: one with a broken clock must not send its clients away
 * for a month.
 */
const MAX_ADVICE_MS = 300_000;

/** How long a socket may take for its closing handshake, in milliseconds. */
const CLOSE_GRACE_MS = 2_000;

/** The close code when neither a welcome nor anything else was heard for too long. */
const SILENCE = 4408;

/** Has no `id`, because nobody waits for the answer. */
const PING = '{"op":"ping"}';

export function createLink(
  loop: LoopStatus,
  url: UrlSource,
  settings: ClientSettings,
  { token, resume, onState, onFrame, onError }: LinkObserver,
): Link {
  const { connectionId, connectTimeoutMs, stableMs, WebSocket } = settings;
  let socket: LoopWebSocket | undefined;
  /** The timer of the attempt, of the next check whether the peer is alive, or of the wait for the next attempt. */
  let timer: Timer | undefined;
  /**
   * When the last frame arrived. Frames only set it, and the timer compares it: a timer per frame would cost more than
   * the frame.
   */
  let heardAt = 0;
  let attempt = 0;
  let openedAt = Infinity;
  let adviceMs: number | undefined;
  /** Grows with each connection and with each end of one: a callback that knows another number is obsolete. */
  let epoch = 0;

  function enter(change: LoopStateChange): void {
    loop.state = change.state;
    onState(change);
  }

  async function start(): Promise<void> {
    const own = ++epoch;
    const isOver = (): boolean => own !== epoch;
    enter({ state: 'connecting', attempt });
    // A listener may have closed the client.
    if (isOver()) return;
    timer = after(connectTimeoutMs, () => giveUp(SILENCE));
    try {
      const protocols = subprotocolsFor(await token());
      if (isOver()) return;
      const address = typeof url === 'function' ? url() : url;
      socket = new WebSocket(socketAddress(address, connectionId, resume()), protocols);
      socket.addEventListener('message', (event) => isOver() || receive(event));
      socket.addEventListener('close', (event) => isOver() || end(event));
      socket.addEventListener('error', () => isOver() || failed());
    } catch (cause) {
      if (isOver()) return;
      const error = failure('connect_failed', cause);
      onError(error);
      if (!isOver()) end({ code: 1006, reason: error.message });
    }
  }

  /**
   * A `close` event follows and says more, except in Node 22, where a connection that could not be opened causes only
   * an `error` event.
   */
  function failed(): void {
    if (socket?.readyState === SOCKET_CONNECTING) end({ code: 1006, reason: '' });
  }

  function receive({ data }: { readonly data: unknown }): void {
    heardAt = performance.now();
    try {
      // Data that is not a string cannot be JSON either.
      const frame = JSON.parse(typeof data === 'string' ? data : '') as ServerFrame;
      if (frame.op === 'welcome' && loop.state !== 'open') opened(frame);
      else onFrame(frame);
    } catch (cause) {
      const details = String(data).slice(0, 200);
      onError(clientErrorWith({ cause, details }, 'unreadable_frame'));
    }
  }

  function opened(welcome: WelcomeFrame): void {
    const { heartbeatMs } = welcome;
    if (!(heartbeatMs >= 0)) throw new Error();
    clearTimeout(timer);
    openedAt = heardAt;
    loop.welcome = welcome;
    if (heartbeatMs > 0) watch();
    enter({ state: 'open', welcome });
  }

  /**
   * Detects a link that died silently: after a heartbeat interval of silence it pings, after a second one it closes the
   * connection.
   */
  function watch(pingedAfter?: number): void {
    const { heartbeatMs } = loop.welcome!;
    const silentSince = heardAt;
    const restMs = silentSince + heartbeatMs - performance.now();
    if (restMs > 0) timer = after(restMs, watch);
    else if (silentSince === pingedAfter) giveUp(SILENCE);
    else {
      timer = after(heartbeatMs, () => watch(silentSince));
      write(PING);
    }
  }

  /** Returns `false` once the closing handshake has begun, because sockets swallow what is written after that. */
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

  /** Does not wait for the peer, because over a dead network the closing handshake takes minutes. */
  function giveUp(code: number, isLeaving?: boolean): void {
    const given = socket;
    epoch++; // so that the socket's own close event is ignored
    given?.close(code);
    // The `ws` package waits 30 seconds for a peer that does not answer, and keeps the process alive meanwhile.
    setTimeout(() => given?.terminate?.(), CLOSE_GRACE_MS).unref?.();
    end({ code, reason: '' }, isLeaving);
  }

  /** Called once for each connection: when it closes, or when the client gives up on it. */
  function end({ code, reason }: LoopCloseEvent, isLeaving = false): void {
    const unsentBytes = bufferedAmount();
    epoch++;
    clearTimeout(timer);
    socket = undefined;
    if (isLeaving || !shouldReconnect(code)) enter({ state: 'closed', code, reason });
    else {
      if (performance.now() - openedAt >= stableMs) attempt = 0;
      const nextAttemptMs = adviceMs ?? fullJitterMs(attempt++, settings);
      openedAt = Infinity;
      adviceMs = undefined;
      timer = after(nextAttemptMs, () => void start());
      enter({ state: 'waiting', code, reason, nextAttemptMs });
    }
    if (unsentBytes > 0 && !isLeaving) {
      onError(clientError('connection_lost', `${unsentBytes} bytes`));
    }
  }

  return {
    start,
    write,
    bufferedAmount,
    reconnect(afterMs) {
      adviceMs = afterMs >= 0 ? Math.min(afterMs, MAX_ADVICE_MS) : undefined;
    },
    close() {
      if (loop.state !== 'closed') giveUp(1000, true);
    },
  };
}
