import type { LoopEventData, LoopEventName, LoopPattern } from '../protocol/event-types.js';
import type { WelcomeFrame } from '../protocol/frames.js';
import type { LoopClientError } from './client-errors.js';
import type { LoopEventHandler } from './event-handlers.js';
import type { LoopState, LoopStateChange } from './loop-state.js';
import type { LoopReset } from './positions.js';

export interface LoopRequestOptions {
  /** Time limit for the reply, counted from the call, in milliseconds. Default: `requestTimeoutMs` of the client. */
  readonly timeoutMs?: number | undefined;
}

export interface LoopSubscribeOptions {
  /**
   * Whether to begin with the last event that was pushed to the channel of the pattern's service, such as the current
   * price or status, if the service has a history and the event matches. It arrives again after a reset of the service.
   * The pattern has to name a service. Default false.
   */
  readonly latest?: boolean;
}

/** A connection to the server's event bus that reconnects by itself. Created by `connect`. */
export interface LoopClient {
  /** `open` means that the server has sent its welcome; see `LoopStateChange` for all four states. */
  readonly state: LoopState;

  /**
   * The last welcome: who the client is, on which server, and what the server subscribed for it. `undefined` before the
   * first.
   */
  readonly welcome: WelcomeFrame | undefined;

  /**
   * Calls the handler for every event that the pattern matches, and subscribes to the pattern: in one frame for all
   * patterns of one tick, and again after each reconnect. A pattern that the server denies is reported to `onError`,
   * and requested again with new credentials or on the next connection.
   *
   * @returns a function that removes the handler; removing the last handler of a pattern unsubscribes from it.
   * @throws LoopClientError `bad_pattern`; the server denies what only resembles a pattern with the same code.
   */
  on<P extends LoopPattern>(
    pattern: P,
    handler: LoopEventHandler<P>,
    options?: LoopSubscribeOptions,
  ): () => void;

  /**
   * Sends an event that wants no reply. While there is no open connection it waits in the outgoing buffer, in order. It
   * arrives at most once: use {@link request} where you need to know.
   *
   * @throws LoopClientError `buffer_full`, `frame_too_large`, `bad_name`, `bad_data` or `closed`
   */
  send<N extends LoopEventName>(name: N, data: LoopEventData<N>): void;

  /**
   * Sends an event and resolves with what its handler on the server returned. Never sent twice.
   *
   * @returns rejects with a {@link LoopClientError}: the code that the server gave, `timeout` after the deadline,
   * `connection_lost` when the connection broke after the frame was written (the outcome is unknown), or a code of
   * {@link send}. A request that was not written yet stays in the buffer across a reconnect, until its deadline.
   */
  request<N extends LoopEventName>(
    name: N,
    data: LoopEventData<N>,
    options?: LoopRequestOptions,
  ): Promise<unknown>;

  /**
   * Answers the server's questions of this name, and subscribes to it. What the answerer returns or resolves with is
   * the answer. What it throws is sent to the server as an error, with the code of a `LoopClientError`, such as one
   * from a request that the answerer made, or else `internal`.
   *
   * @returns a function that removes the answerer. Questions without an answerer get the error `no_handler`.
   * @throws LoopClientError `duplicate_answer` when the name already has an answerer
   */
  answer<N extends LoopEventName>(
    name: N,
    answerer: (data: LoopEventData<N>) => unknown,
  ): () => void;

  /**
   * Calls the listener at each change of state, with what is known about it: testing `change.state` narrows the rest.
   *
   * @returns a function that removes the listener.
   */
  onState(listener: (state: LoopState, change: LoopStateChange) => unknown): () => void;

  /**
   * Calls the listener with problems that no call waits for: errors from the server that belong to no request, denied
   * subscriptions, handlers that threw, events that were lost. Without a listener they go to `console.error`.
   *
   * @returns a function that removes the listener.
   */
  onError(listener: (error: LoopClientError) => unknown): () => void;

  /**
   * Calls the listener for each topic whose events were lost and cannot be recovered: reload what you show from it.
   * Everything that was pushed since arrives. Without a listener the loss is reported to `onError`.
   *
   * @returns a function that removes the listener.
   */
  onReset(reload: (reset: LoopReset) => unknown): () => void;

  /**
   * Resolves with the welcome once the client is open and the server has answered every subscription so far: from then
   * on no event that they match is missed. Rejects with `closed` when the client is closed.
   */
  ready(): Promise<WelcomeFrame>;

  /**
   * Resolves with the round-trip time to the server in milliseconds. Rejects like {@link request}, and with `not_open`
   * at once when there is no open connection.
   */
  ping(): Promise<number>;

  /**
   * Refreshes the credentials without a new connection: with this token, or with one from the `token` option. When the
   * option is not a function, later connections use this token too, unless the server refuses it.
   *
   * @returns rejects with a {@link LoopClientError}: `unauthorized` or `forbidden` when the server refuses the token,
   * `unavailable` when it cannot check it right now, `bad_option` when there is no token, or as {@link request} does;
   * and with what the `token` function throws.
   */
  authenticate(token?: string): Promise<void>;

  /**
   * Closes the client permanently, with close code 1000. Calls that wait for an answer reject; events that were never
   * sent are reported to `onError`.
   */
  close(): void;
}
