import type { LoopEventData, LoopEventName, LoopPattern } from '../protocol/event-types.js';
import type { EventFrame, WelcomeFrame } from '../protocol/frames.js';
import { Authentication } from './authentication.js';
import { Calls } from './calls.js';
import { ClientErrorCode, closedError, LoopClientError } from './client-errors.js';
import type { ClientSettings } from './client-options.js';
import type { Connection, FrameAfterWelcome } from './connection.js';
import type { LoopEventHandler, UntypedHandler } from './event-handlers.js';
import { Inbox } from './inbox.js';
import { Listeners } from './listeners.js';
import type { LoopState, LoopStateChange } from './loop-state.js';
import { type LoopReset, Positions } from './positions.js';
import { ProblemReporter } from './problem-reporter.js';
import { Reconnector } from './reconnector.js';
import { Resuming } from './resuming.js';
import { StoredPositions } from './stored-positions.js';
import { Subscriptions } from './subscriptions.js';

export interface LoopRequestOptions {
  /** Time for the reply, counted from the call, in milliseconds. Default: `requestTimeoutMs` of the client. */
  readonly timeoutMs?: number | undefined;
}

export interface LoopSubscribeOptions {
  /**
   * Whether to begin with the last event of the pattern's service that was pushed to all, if the service has a history and
   * the event matches: the current price, status or the like. Default false.
   */
  readonly latest?: boolean;
}

/** A connection to the server's event bus that mends itself. Made by `connect`. */
export class LoopClient {
  readonly #problems = new ProblemReporter();
  readonly #states = new Listeners<[state: LoopState, change: LoopStateChange]>(
    this.#problems.handlerFailed,
  );
  readonly #resets = new Listeners<[reset: LoopReset]>(this.#problems.handlerFailed);
  readonly #positions = new Positions(
    (reset) => this.#lost(reset),
    () => this.#stored?.save(this.#positions),
  );
  readonly #stored: StoredPositions | undefined;
  readonly #resuming: Resuming;
  readonly #inbox: Inbox;
  readonly #subscriptions: Subscriptions;
  readonly #calls: Calls;
  readonly #authentication: Authentication;
  readonly #reconnector: Reconnector;
  #welcome: WelcomeFrame | undefined;

  /** @internal Use `connect`. */
  constructor(settings: ClientSettings) {
    const { storage, storageKey } = settings;
    this.#stored = storage && new StoredPositions(storage, storageKey, this.#problems.report);
    this.#stored?.load(this.#positions);
    this.#calls = new Calls(settings, this.#problems.report);
    this.#resuming = new Resuming(this.#positions, {
      ask: (since) => this.#calls.askNow({ op: 'subscribe', patterns: [], since }, 'the positions'),
      problem: this.#problems.report,
      again: () => this.#subscriptions.resume(),
    });
    this.#inbox = new Inbox(this.#problems, (pattern) => this.#subscriptions.changed(pattern));
    this.#subscriptions = new Subscriptions(this.#inbox.handlers, {
      tell: (op, patterns) => this.#calls.askNow({ op, patterns }, `the ${op} frame`),
      allAnswered: () => this.#resuming.run(),
      problem: this.#problems.report,
    });
    this.#authentication = new Authentication(settings.token, {
      ask: (frame) => this.#calls.ask(frame, 'the token'),
      refreshed: (removed) => this.#subscriptions.refreshed(removed),
      failed: this.#problems.handlerFailed,
    });
    this.#reconnector = new Reconnector(settings, this.#authentication.credentials, {
      changed: (change) => this.#changed(change),
      received: (frame, connection) => this.#received(frame, connection),
      problem: this.#problems.report,
      resumes: () => this.#positions.any,
    });
    this.#reconnector.start();
  }

  /** `open` means that the server has said welcome; see `LoopStateChange` for all four. */
  get state(): LoopState {
    return this.#reconnector.state;
  }

  /** The last welcome: who we are, where, and what the server subscribed for us. `undefined` before the first. */
  get welcome(): WelcomeFrame | undefined {
    return this.#welcome;
  }

  /**
   * Calls the handler for every event that the pattern matches, and subscribes: in one frame for all patterns of one
   * tick, and again after each reconnect. What the server denies is told to `onError`, and asked for again with new
   * credentials or on the next connection.
   *
   * @returns its own end; the last handler that leaves a pattern unsubscribes it.
   * @throws LoopClientError `bad_pattern`
   */
  on<P extends LoopPattern>(
    pattern: P,
    handler: LoopEventHandler<P>,
    { latest = false }: LoopSubscribeOptions = {},
  ): () => void {
    if (latest) this.#resuming.wantLatest(`service:${pattern.split(':')[0]}`);
    return this.#inbox.handlers.add(pattern, handler as UntypedHandler);
  }

  /**
   * Sends an event and wants no reply. While there is no open connection it waits in the outgoing buffer, in order.
   * It arrives at most once: use {@link request} where you need to know.
   *
   * @throws LoopClientError `buffer_full`, `frame_too_large`, `bad_name`, `bad_data` or `closed`
   */
  send<N extends LoopEventName>(name: N, data: LoopEventData<N>): void {
    this.#subscriptions.flush();
    this.#calls.send(name, data);
  }

  /**
   * Sends an event and resolves with what its handler on the server returned. Never sent twice.
   *
   * @returns rejects with a {@link LoopClientError}: the code that the server gave, `timeout` after the deadline,
   * `connection_lost` when the connection broke after the frame was written (the outcome is unknown), or a code of
   * {@link send}. A request that was not written yet stays in the buffer over a reconnect, up to its deadline.
   */
  async request<N extends LoopEventName>(
    name: N,
    data: LoopEventData<N>,
    options: LoopRequestOptions = {},
  ): Promise<unknown> {
    this.#subscriptions.flush();
    return this.#calls.request(name, data, options.timeoutMs);
  }

  /**
   * Answers the server's questions of this name, and subscribes to it. What the answerer returns or resolves with is
   * the answer; what it throws is told to the server, with the code of a `LoopAnswerError`, else `internal`.
   *
   * @returns its own end. Questions without an answerer are answered with the error `no_handler`.
   * @throws LoopClientError `duplicate_answer` when the name has an answerer
   */
  answer<N extends LoopEventName>(
    name: N,
    answerer: (data: LoopEventData<N>) => unknown,
  ): () => void {
    return this.#inbox.answer(name, answerer as (data: unknown) => unknown);
  }

  /** Calls the listener at each change of state, with what is known about it: testing
   * `change.state` narrows the rest. Returns its own end. */
  onState(listener: (state: LoopState, change: LoopStateChange) => unknown): () => void {
    return this.#states.add(listener);
  }

  /**
   * Calls the listener with problems that no call waits for: errors of the server that belong to no request, denied
   * subscriptions, handlers that threw, events that were lost. Without a listener they go to `console.error`.
   */
  onError(listener: (error: LoopClientError) => unknown): () => void {
    return this.#problems.add(listener);
  }

  /**
   * Calls the listener for each topic of which events were lost that cannot be had any more: reload what you show of it.
   * Everything that was pushed since arrives. Without a listener it is told to `onError`.
   *
   * @returns its own end.
   */
  onReset(reload: (reset: LoopReset) => unknown): () => void {
    return this.#resets.add(reload);
  }

  /**
   * Resolves with the welcome once the client is open and the server has answered for every subscription so far: from
   * then on no event that they match is missed. Rejects with `closed` when that cannot happen any more.
   */
  async ready(): Promise<WelcomeFrame> {
    const welcome = await this.#opened();
    await this.#subscriptions.settled();
    return this.state === 'open' && this.#welcome === welcome ? welcome : this.ready();
  }

  /** Round trip to the server in milliseconds. Rejects like {@link request}, and with `not_open` at once. */
  async ping(): Promise<number> {
    const startedAt = performance.now();
    await this.#calls.askNow({ op: 'ping' }, 'the ping');
    return performance.now() - startedAt;
  }

  /**
   * Refreshes the credentials without a new connection: with this token, or with one of the `token` option. When the
   * option is not a function, later connections use this token too.
   */
  authenticate(token?: string): Promise<void> {
    return this.#authentication.authenticate(token);
  }

  /** Ends for good, with close code 1000. What waits for an answer rejects; what was never sent is reported. */
  close(): void {
    this.#reconnector.close('closed by the application');
  }

  #opened(): Promise<WelcomeFrame> {
    if (this.state === 'open' && this.#welcome !== undefined) return Promise.resolve(this.#welcome);
    if (this.state === 'closed') return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      const off = this.#states.add((_, change) => {
        if (change.state === 'open') resolve(change.welcome);
        else if (change.state === 'closed') reject(closedError());
        else return;
        off();
      });
    });
  }

  #changed(change: LoopStateChange): void {
    if (change.state === 'open') this.#connected(change.welcome);
    if (change.state === 'waiting' || change.state === 'closed') this.#disconnected(change.state);
    // What became of it may have changed the state once more; then that was told already.
    if (this.state === change.state) this.#states.emit(change.state, change);
  }

  #connected(welcome: WelcomeFrame): void {
    const { connection } = this.#reconnector;
    if (connection === undefined) return;
    this.#welcome = welcome;
    this.#authentication.expiresIn(welcome.expiresInMs);
    this.#calls.connected(connection);
    // Before what has waited: its effects may be events that we want.
    this.#resuming.connected(); // before the welcome adds positions: those need not be asked for
    this.#positions.welcomed(welcome);
    this.#subscriptions.connected(welcome);
    this.#subscriptions.resume();
    this.#calls.release();
  }

  #disconnected(state: 'waiting' | 'closed'): void {
    this.#authentication.stop();
    this.#subscriptions.disconnected();
    this.#resuming.disconnected();
    if (state === 'closed') this.#calls.close();
    else this.#calls.disconnected();
  }

  #received(frame: FrameAfterWelcome, connection: Connection): void {
    switch (frame.op) {
      case undefined:
        return this.#receivedEvent(frame, connection);
      case 'error':
        return this.#calls.refused(frame);
      case 'reset':
        return this.#positions.reset(frame.topics);
      case 'positions':
        if (this.#resuming.pending) return this.#positions.learned(frame.topics);
        return this.#positions.advanced(frame.topics);
      case 'ok':
        this.#positions.learned(frame.positions);
        return this.#calls.answered(frame);
      case 'reconnect':
        return this.#reconnector.advise(frame.afterMs);
      default:
        return this.#calls.answered(frame);
    }
  }

  /** Its position counts once the handlers were called: one that has not seen it gets it again. */
  #receivedEvent(frame: EventFrame, connection: Connection): void {
    const { topic, pos } = frame;
    if (topic === undefined || pos === undefined) return this.#inbox.receive(frame, connection);
    if (!this.#positions.isNew(topic, pos)) return;
    this.#inbox.receive(frame, connection);
    this.#positions.advanced({ [topic]: pos });
  }

  #lost(reset: LoopReset): void {
    if (this.#resets.size > 0) return this.#resets.emit(reset);
    const message = `Events of "${reset.topic}" are lost. Reload what you show of it, in a listener of onReset().`;
    this.#problems.report(
      new LoopClientError(ClientErrorCode.HistoryLost, message, { details: reset }),
    );
  }
}
