import { filter, map, type Observable, Subject } from 'rxjs';
import type { AskOptions } from '../bus/ask-result.js';
import { EventBus } from '../bus/event-bus.js';
import type { LoopEnvelope } from '../bus/loop-envelope.js';
import type { PushOptions } from '../bus/push-options.js';
import type { ConnectionPushResult, DisconnectReport, PushReport } from '../bus/push-result.js';
import { LoopAskError } from '../loop-ws.errors.js';
import { parseEventName } from '../protocol/event-name.js';
import type { LoopEventData, LoopEventName, LoopPattern } from '../protocol/event-types.js';
import { patternsMatching } from '../protocol/pattern.js';
import type { PushTarget } from '../transport/transport-message.js';

/** A push that was made. */
export interface RecordedPush {
  readonly target: PushTarget;
  readonly name: string;
  readonly data: unknown;
  readonly options: PushOptions;
}

const ONE_DELIVERED: PushReport = {
  delivered: 1,
  filtered: 0,
  failed: 0,
  servers: { expected: 1, answered: 1 },
  complete: true,
};

/**
 * Stands in for `EventBus` in tests of your own services: keeps what was pushed, delivers nothing, opens no socket.
 *
 * @example
 * const bus = new RecordingEventBus();
 * const module = await Test.createTestingModule({
 *   providers: [BillingService, { provide: EventBus, useValue: bus }],
 * }).compile();
 * await module.get(BillingService).pay('i-1');
 * expect(bus.pushesOf('billing:invoice.paid')).toMatchObject([{ data: { id: 'i-1' } }]);
 */
export class RecordingEventBus extends EventBus {
  /** Every push, in call order. */
  readonly pushes: RecordedPush[] = [];
  /** Every `disconnect`, in call order. */
  readonly disconnects: {
    accountId: string;
    connectionId: string | undefined;
    code: number | undefined;
  }[] = [];

  /** What pushes to one connection resolve with. */
  connectionResult: ConnectionPushResult = 'delivered';
  /** What pushes to many resolve with. */
  report: PushReport = ONE_DELIVERED;

  private readonly answers = new Map<string, (data: unknown) => unknown>();
  private readonly channel = new Subject<{ name: string; data: unknown; id: string | undefined }>();

  pushesOf(name: LoopEventName): readonly RecordedPush[] {
    return this.pushes.filter((push) => push.name === name);
  }

  /** Answers `ask` for this name; without it `ask` rejects with `not_connected`. */
  answerWith<N extends LoopEventName>(name: N, answer: (data: LoopEventData<N>) => unknown): void {
    this.answers.set(name, answer as (data: unknown) => unknown);
  }

  override async pushToConnection<N extends LoopEventName>(
    accountId: string,
    connectionId: string,
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<ConnectionPushResult> {
    this.record({ kind: 'connection', accountId, connectionId }, name, data, options);
    return this.connectionResult;
  }

  override async pushToAccount<N extends LoopEventName>(
    accountId: string,
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<PushReport> {
    this.record({ kind: 'account', accountId }, name, data, options);
    return this.report;
  }

  override async pushToRoom<N extends LoopEventName>(
    room: string,
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<PushReport> {
    this.record({ kind: 'room', room }, name, data, options);
    return this.report;
  }

  /** Observers of {@link on} see it, as they would. */
  override async pushToChannel<N extends LoopEventName>(
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<PushReport> {
    this.record({ kind: 'channel' }, name, data, options);
    this.channel.next({ name, data, id: options?.id });
    return this.report;
  }

  override async ask<N extends LoopEventName>(
    accountId: string,
    connectionId: string,
    name: N,
    data: LoopEventData<N>,
    _options: AskOptions,
  ): Promise<unknown> {
    const answer = this.answers.get(name);
    if (answer !== undefined) return answer(data);
    throw new LoopAskError(
      'not_connected',
      `${accountId}/${connectionId} has no answer to "${name}"; give one with answerWith.`,
    );
  }

  override on<P extends LoopPattern>(pattern: P): Observable<LoopEnvelope<P>> {
    return this.channel.pipe(
      filter(({ name }) => patternsMatching(name).includes(pattern)),
      map((push) => ({ ...push, ...parseEventName(push.name) }) as LoopEnvelope<P>),
    );
  }

  override async disconnect(
    accountId: string,
    connectionId?: string,
    code?: number,
  ): Promise<DisconnectReport> {
    this.disconnects.push({ accountId, connectionId, code });
    return { closed: 1, complete: true };
  }

  private record(target: PushTarget, name: string, data: unknown, options: PushOptions = {}): void {
    this.pushes.push({ target, name, data, options });
  }
}
