import type { Observable } from 'rxjs';
import { LoopPushError } from '../loop-ws.errors.js';
import type { LoopEventData, LoopEventName, LoopPattern } from '../protocol/event-types.js';
import type { AskOptions } from './ask-result.js';
import type { LoopEnvelope } from './loop-envelope.js';
import type { PushOptions } from './push-options.js';
import type { ConnectionPushResult, DisconnectReport, PushReport } from './push-result.js';

/** Something whose string form is an id: a number, a UUID object, an ObjectId. */
export type IdLike = string | number | bigint | { toString(): string };

/**
 * Pushes events to connected clients, anywhere in the cluster. Inject it wherever your code learns that something
 * happened.
 *
 * A push reaches only connections with a subscription that matches. Calls to one connection arrive in call order. Every
 * returned promise settles; it rejects with a `LoopPushError` if the push could not be made at all: an invalid name, a
 * service that is not declared, or a payload that is not JSON or is too large. Before the application has started,
 * pushes reach no other server, and their results say so.
 */
export abstract class EventBus {
  /** Pushes to one connection, wherever it is. */
  abstract pushToConnection<N extends LoopEventName>(
    accountId: string,
    connectionId: string,
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<ConnectionPushResult>;

  /** Pushes to every connection of the account. */
  abstract pushToAccount<N extends LoopEventName>(
    accountId: string,
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<PushReport>;

  /**
   * Pushes to every connection that server code joined to the room. Rejects with a `LoopPushError` for a name that no
   * connection could join.
   */
  abstract pushToRoom<N extends LoopEventName>(
    room: string,
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<PushReport>;

  /** Pushes to everyone, on any account, whose subscriptions match. */
  abstract pushToChannel<N extends LoopEventName>(
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<PushReport>;

  /**
   * Asks one connection and resolves with its client's answer. Rejects with a `LoopAskError` whose `reason` says why
   * there is no answer, or with a `LoopPushError` if the question could not be asked at all. The question is an event,
   * so the connection needs a subscription that matches.
   */
  abstract ask<N extends LoopEventName>(
    accountId: string,
    connectionId: string,
    name: N,
    data: LoopEventData<N>,
    options: AskOptions,
  ): Promise<unknown>;

  /**
   * Observes the channel pushes of all servers that match the pattern, for server code. Cold: subscribing to the
   * observable starts it. Completes when the application shuts down. Throws a `LoopWsError` for an invalid pattern and
   * for a service that is not declared.
   *
   * A callback of `subscribe` that throws or rejects is logged and stays subscribed, also after `pipe(…)`. An operator
   * that throws ends its observable, as everywhere in rxjs; the error is logged unless you handle it.
   *
   * **Not protected** are callbacks that you subscribe to another observable: `merge(bus.on(…), other).subscribe(f)`,
   * or `bus.on(…).subscribe(subject)` with `subject.subscribe(f)`. If such an `f` throws, rxjs rethrows the error as an
   * uncaught exception, and the process ends. Catch errors in `f` there.
   */
  abstract on<P extends LoopPattern>(pattern: P): Observable<LoopEnvelope<P>>;

  /**
   * Closes the account's connections on every server, or only the named one. Connections that are still opening are
   * included, from the moment when their `@OnLoopConnect` runs. Revoke the credentials first, so that nobody can
   * connect again.
   *
   * @param connectionId Default: all connections of the account.
   * @param code Default 4503: clients do not reconnect. Otherwise 1000, or an application code from 3000 to 4999.
   * @param reason Default none. Truncated to 123 bytes.
   * @returns How many were closed. Rejects with a `LoopPushError`, and closes nothing, if an id is not a non-empty
   * string, if the code may not be sent, or if the reason is not a string.
   */
  abstract disconnect(
    accountId: string,
    connectionId?: string,
    code?: number,
    reason?: string,
  ): Promise<DisconnectReport>;

  /**
   * `pushToConnection` with service and event as separate arguments, for code that moves over from loopws. Ids are
   * converted to strings.
   */
  async pushEvent(
    accountId: IdLike,
    connectionId: IdLike,
    service: string,
    event: string,
    data: unknown,
    options?: PushOptions,
  ): Promise<ConnectionPushResult> {
    const [account, connection] = [String(accountId), String(connectionId)];
    return this.pushEventStrict(account, connection, service, event, data, options);
  }

  /** As {@link pushEvent}, but rejects with a `LoopPushError` if an id is not a string. */
  async pushEventStrict(
    accountId: string,
    connectionId: string,
    service: string,
    event: string,
    data: unknown,
    options?: PushOptions,
  ): Promise<ConnectionPushResult> {
    if (typeof accountId !== 'string' || typeof connectionId !== 'string') {
      throw new LoopPushError(
        'pushEventStrict takes ids that are strings; use pushEvent to have them converted.',
      );
    }
    const name: LoopEventName = `${service}:${event}`;
    return this.pushToConnection(accountId, connectionId, name, data, options);
  }
}
