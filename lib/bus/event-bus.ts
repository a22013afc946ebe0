import type { Observable } from 'rxjs';
import { LoopPushError } from '../loop-ws.errors.js';
import type { LoopEventData, LoopEventName, LoopPattern } from '../protocol/event-types.js';
import type { AskOptions } from './ask-result.js';
import type { LoopEnvelope } from './loop-envelope.js';
import type { PushOptions } from './push-options.js';
import type { ConnectionPushResult, DisconnectReport, PushReport } from './push-result.js';

/** Something whose text form is an id: a number, a UUID object, an ObjectId. */
export type IdLike = string | number | bigint | { toString(): string };

/**
 * Pushes events to whoever is connected, anywhere in the cluster. Inject it wherever your code learns that something
 * happened.
 *
 * Every push reaches only connections with a subscription that matches. Calls to one connection arrive in call order.
 * Every returned promise settles; it rejects with a `LoopPushError` when the push could not be made at all: a name
 * that is none, a service that is not declared, a payload that is not JSON or too large. Before the application has
 * started, pushes reach no other server, and their results say so.
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

  /** Pushes to every connection that server code joined to the room. */
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
   * Asks one connection and resolves with what its client answered. Rejects with a `LoopAskError` whose `reason` says
   * why there is no answer, or with a `LoopPushError` when the question could not be asked at all. The question is an
   * event, so the connection needs a subscription that matches.
   */
  abstract ask<N extends LoopEventName>(
    accountId: string,
    connectionId: string,
    name: N,
    data: LoopEventData<N>,
    options: AskOptions,
  ): Promise<unknown>;

  /**
   * Channel pushes of every server that match, for server code. Cold: observing is what subscribes. Completes when
   * the application shuts down. Throws a `LoopWsError` for text that is no pattern and for a service that is not
   * declared.
   *
   * A callback of `subscribe` that throws or rejects is logged and stays subscribed, also after `pipe(…)`. An operator
   * that throws ends its observable, as everywhere in rxjs; that is logged unless you handle it.
   *
   * **Not protected** is what you subscribe to another observable: `merge(bus.on(…), other).subscribe(f)`,
   * `bus.on(…).subscribe(subject)` with `subject.subscribe(f)`. When that `f` throws, rxjs throws it out of every
   * stack, and the process ends. Catch in `f` there.
   */
  abstract on<P extends LoopPattern>(pattern: P): Observable<LoopEnvelope<P>>;

  /**
   * Closes the account's connections on every server, or the one that is named.
   *
   * @param connectionId Default: all of the account.
   * @param code Default 4503: clients do not come back. Else 1000, or one of the application's own from 3000.
   * @param reason Default none. Cut to 123 bytes.
   * @returns How many were closed. Rejects with a `LoopPushError`, and closes nobody, for an id that is no text or empty,
   * for a code that no endpoint may send and for a reason that is no text.
   */
  abstract disconnect(
    accountId: string,
    connectionId?: string,
    code?: number,
    reason?: string,
  ): Promise<DisconnectReport>;

  /** `pushToConnection` with service and event apart, for code that moves over from loopws. Ids become texts. */
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

  /** {@link pushEvent} for ids that are texts already; rejects with a `LoopPushError` when one is not. */
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
        'pushEventStrict takes ids that are texts; use pushEvent to have them converted.',
      );
    }
    const name: LoopEventName = `${service}:${event}`;
    return this.pushToConnection(accountId, connectionId, name, data, options);
  }
}
