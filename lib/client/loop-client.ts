import type { LoopEventData, LoopEventName, LoopPattern } from '../protocol/event-types.js';
import type { WelcomeFrame } from '../protocol/frames.js';
import type { LoopClientError } from './client-errors.js';
import type { LoopEventHandler } from './event-handlers.js';
import type { LoopState, LoopStateChange } from './loop-state.js';
import type { LoopReset } from './positions.js';

export interface LoopRequestOptions {
  /** Time for the reply, counted from the call, in milliseconds. Default: `requestTimeoutMs` of the client. */
  readonly timeoutMs?: number | undefined;
}

export interface LoopSubscribeOptions {
  /**
   * Whether to begin with the last event of the pattern's service that was pushed to all, if the service has a history and
   * the event matches: the current price, status or the like. It comes again after a reset of the service. The pattern has
   * to name one. Default false.
   */
  readonly latest?: boolean;
}

/** A connection to the server's event bus that mends itself. Made by `connect`. */
export interface LoopClient {
  /** `open` means that the server has said welcome; see `LoopStateChange` for all four. */
  readonly state: LoopState;

  /** The last welcome: who we are, where, and what the server subscribed for us. `undefined` before the first. */
  readonly welcome: WelcomeFrame | undefined;

  /**
   * Calls the handler for every event that the pattern matches, and subscribes: in one frame for all patterns of one
   * tick, and again after each reconnect. What the server denies is told to `onError`, and asked for again with new
   * credentials or on the next connection.
   *
   * @returns its own end; the last handler that leaves a pattern unsubscribes it.
   * @throws LoopClientError `bad_pattern`; what only looks like a pattern the server denies with the same code.
   */
  on<P extends LoopPattern>(
    pattern: P,
    handler: LoopEventHandler<P>,
    options?: LoopSubscribeOptions,
  ): () => void;

  /**
   * Sends an event and wants no reply. While there is no open connection it waits in the outgoing buffer, in order.
   * It arrives at most once: use {@link request} where you need to know.
   *
   * @throws LoopClientError `buffer_full`, `frame_too_large`, `bad_name`, `bad_data` or `closed`
   */
  send<N extends LoopEventName>(name: N, data: LoopEventData<N>): void;

  /**
   * Sends an event and resolves with what its handler on the server returned. Never sent twice.
   *
   * @returns rejects with a {@link LoopClientError}: the code that the server gave, `timeout` after the deadline,
   * `connection_lost` when the connection broke after the frame was written (the outcome is unknown), or a code of
   * {@link send}. A request that was not written yet stays in the buffer over a reconnect, up to its deadline.
   */
  request<N extends LoopEventName>(
    name: N,
    data: LoopEventData<N>,
    options?: LoopRequestOptions,
  ): Promise<unknown>;

  /**
   * Answers the server's questions of this name, and subscribes to it. What the answerer returns or resolves with is
   * the answer; what it throws is told to the server, with the code of a `LoopClientError`, which may be that of a request of its own, else `internal`.
   *
   * @returns its own end. Questions without an answerer are answered with the error `no_handler`.
   * @throws LoopClientError `duplicate_answer` when the name has an answerer
   */
  answer<N extends LoopEventName>(
    name: N,
    answerer: (data: LoopEventData<N>) => unknown,
  ): () => void;

  /** Calls the listener at each change of state, with what is known about it: testing
   * `change.state` narrows the rest. Returns its own end. */
  onState(listener: (state: LoopState, change: LoopStateChange) => unknown): () => void;

  /**
   * Calls the listener with problems that no call waits for: errors of the server that belong to no request, denied
   * subscriptions, handlers that threw, events that were lost. Without a listener they go to `console.error`.
   */
  onError(listener: (error: LoopClientError) => unknown): () => void;

  /**
   * Calls the listener for each topic of which events were lost that cannot be had any more: reload what you show of it.
   * Everything that was pushed since arrives. Without a listener it is told to `onError`.
   *
   * @returns its own end.
   */
  onReset(reload: (reset: LoopReset) => unknown): () => void;

  /**
   * Resolves with the welcome once the client is open and the server has answered for every subscription so far: from
   * then on no event that they match is missed. Rejects with `closed` when that cannot happen any more.
   */
  ready(): Promise<WelcomeFrame>;

  /** Round trip to the server in milliseconds. Rejects like {@link request}, and with `not_open` at once. */
  ping(): Promise<number>;

  /**
   * Refreshes the credentials without a new connection: with this token, or with one of the `token` option. When the
   * option is not a function, later connections use this token too, unless the server refuses it.
   *
   * @returns rejects with a {@link LoopClientError}: `unauthorized` or `forbidden` when the server refuses the token,
   * `unavailable` when it cannot check it right now, `bad_option` when there is no token, or as {@link request} does;
   * and with what the `token` function throws.
   */
  authenticate(token?: string): Promise<void>;

  /** Ends for good, with close code 1000. What waits for an answer rejects; what was never sent is reported. */
  close(): void;
}
