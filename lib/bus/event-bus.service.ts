import { Inject, Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { requireIds } from '../connections/require-ids.js';
import { requireRoomName } from '../connections/room-name.js';
import { DurableTopics } from '../history/durable-topics.js';
import { LoopPushError } from '../loop-ws.errors.js';
import { BUS_SETTINGS, type BusSettings } from '../loop-ws.settings.js';
import { CloseCode } from '../protocol/close-code.js';
import type { LoopEventData, LoopEventName, LoopPattern } from '../protocol/event-types.js';
import type { PublishOptions } from '../transport/publish-options.js';
import { encodePosition } from '../transport/position.js';
import { accountTopic, type Topic } from '../transport/topic.js';
import type { TopicPolicy } from '../transport/topic-history.js';
import {
  type AskMessage,
  type DisconnectMessage,
  EMPTY_REPLY,
  type PushMessage,
  type PushTarget,
  topicOf,
} from '../transport/transport-message.js';
import { within } from '../util/within.js';
import { answerOf, type AskOptions } from './ask-result.js';
import { CallOrder } from './call-order.js';
import { ChannelObservers } from './channel-observers.js';
import { requireSendableClose } from './sendable-close.js';
import { LocalDelivery } from './local-delivery.js';
import { EventBus } from './event-bus.js';
import type { LoopEnvelope } from './loop-envelope.js';
import { OpenAsks } from './open-asks.js';
import { composeEvent, requireDuration } from './outgoing-event.js';
import { type PushOptions, messageOptions } from './push-options.js';
import {
  connectionResultOf,
  type ConnectionPushResult,
  type DisconnectReport,
  disconnectReportOf,
  NOTHING_ELSEWHERE,
  type PushReport,
  reportOf,
} from './push-result.js';
import { answerTimeMs, RemoteDelivery } from './remote-delivery.js';

/** The bus: delivers on this server, then on the others. */
@Injectable()
export class EventBusService extends EventBus {
  private readonly order = new CallOrder();

  constructor(
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
    private readonly registry: ConnectionRegistry,
    private readonly local: LocalDelivery,
    private readonly asks: OpenAsks,
    private readonly observers: ChannelObservers,
    private readonly remote: RemoteDelivery,
    private readonly durable: DurableTopics,
  ) {
    super();
  }

  override async pushToConnection<N extends LoopEventName>(
    accountId: string,
    connectionId: string,
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<ConnectionPushResult> {
    const target = { kind: 'connection', accountId, connectionId } as const;
    return connectionResultOf(await this.push(target, name, data, options));
  }

  override async pushToAccount<N extends LoopEventName>(
    accountId: string,
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<PushReport> {
    return this.push({ kind: 'account', accountId }, name, data, options);
  }

  override async pushToRoom<N extends LoopEventName>(
    room: string,
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<PushReport> {
    return this.push({ kind: 'room', room }, name, data, options);
  }

  override async pushToChannel<N extends LoopEventName>(
    name: N,
    data: LoopEventData<N>,
    options?: PushOptions,
  ): Promise<PushReport> {
    return this.push({ kind: 'channel' }, name, data, options);
  }

  override async ask<N extends LoopEventName>(
    accountId: string,
    connectionId: string,
    name: N,
    data: LoopEventData<N>,
    { timeoutMs }: AskOptions,
  ): Promise<unknown> {
    const connection = { accountId, connectionId };
    requireIds(connection);
    requireDuration('timeoutMs', timeoutMs);
    const composed = composeEvent(name, data, this.settings);
    const question: AskMessage = { kind: 'ask', connection, name, data: composed.data, timeoutMs };
    const calledAt = performance.now();
    const answer = this.order.other(() => this.askAtOnce(question, calledAt));
    return within(answer, timeoutMs, () =>
      answerOf(question, EMPTY_REPLY, { why: 'timeout' }, true),
    );
  }

  override on<P extends LoopPattern>(pattern: P): Observable<LoopEnvelope<P>> {
    return this.observers.observe(pattern) as Observable<LoopEnvelope<P>>;
  }

  override async disconnect(
    accountId: string,
    connectionId?: string,
    code: number = CloseCode.Forbidden,
    reason = '',
  ): Promise<DisconnectReport> {
    requireSendableClose(code, reason);
    const closed = this.registry.disconnect(accountId, connectionId, code, reason);
    const order: DisconnectMessage = {
      kind: 'disconnect',
      accountId,
      code,
      reason,
      ...(connectionId === undefined ? {} : { connectionId }),
    };
    const elsewhere = await this.remote.publish(accountTopic(order), order, {
      timeoutMs: this.settings.config.receiptTimeoutMs,
      receipt: true,
    });
    return disconnectReportOf(closed, elsewhere);
  }

  /** Delivers here before anything is awaited, which keeps calls in order. */
  private async push(
    target: PushTarget,
    name: string,
    data: unknown,
    options: PushOptions = {},
  ): Promise<PushReport> {
    requireIds(target);
    const { maxIdLength, pushTtlMs, receiptTimeoutMs: timeoutMs } = this.settings.config;
    if (target.kind === 'room') requireRoomName(target.room, maxIdLength, LoopPushError);
    const { service, frame } = composeEvent(name, data, this.settings);
    const { receipt = true } = options;
    const message: PushMessage = {
      kind: 'push',
      target,
      name,
      frame,
      ...messageOptions(pushTtlMs, options),
    };
    const topic = topicOf(target, service);
    const policy = this.durable.policyOf(topic, service);
    if (policy !== undefined) {
      return this.pushDurable(topic, message, policy, { timeoutMs, receipt });
    }
    const calledAt = performance.now();
    return this.order.other(() =>
      this.pushAtOnce(topic, afterWaiting(message, calledAt), { timeoutMs, receipt }),
    );
  }

  private async pushAtOnce(
    topic: Topic,
    message: PushMessage,
    options: PublishOptions,
  ): Promise<PushReport> {
    const here = this.local.deliver(message);
    const isForOne = message.target.kind === 'connection';
    if (isForOne && reached(here)) return reportOf(here, NOTHING_ELSEWHERE);
    if (options.receipt) return reportOf(here, await this.remote.publish(topic, message, options));
    this.remote.post(topic, message, options);
    return reportOf(here, { why: 'no_receipt' });
  }

  /** Awaits nothing for a connection that is not here, so that the question keeps its place among the pushes. */
  private async askAtOnce(question: AskMessage, calledAt: number): Promise<unknown> {
    const { accountId, connectionId } = question.connection;
    const timeoutMs = question.timeoutMs - waitedSince(calledAt);
    if (timeoutMs <= 0) return answerOf(question, EMPTY_REPLY, { why: 'timeout' }, true);
    const asked = { ...question, timeoutMs };
    const settlesAt = performance.now() + answerTimeMs(timeoutMs);
    const connection = this.registry.get(accountId, connectionId);
    const here = connection === undefined ? EMPTY_REPLY : await this.asks.ask(connection, asked);
    const elsewhere = reached(here)
      ? NOTHING_ELSEWHERE
      : await this.remote.publish(accountTopic({ accountId }), asked, { timeoutMs, receipt: true });
    return answerOf(question, here, elsewhere, performance.now() >= settlesAt);
  }

  /** The push is delivered here when its place in the history says that it is its turn. */
  private async pushDurable(
    topic: Topic,
    message: PushMessage,
    policy: TopicPolicy,
    { timeoutMs, receipt }: PublishOptions,
  ): Promise<PushReport> {
    const outcome = await this.order.durable((delivered) =>
      this.remote.append(topic, message, policy, {
        timeoutMs,
        receipt,
        onPlaced: (position) => this.durable.whenDelivered(topic, position, delivered),
      }),
    );
    if ('why' in outcome) return reportOf(EMPTY_REPLY, outcome);
    const { here = EMPTY_REPLY, position } = outcome;
    const report = reportOf(here, receipt ? outcome : { why: 'no_receipt' });
    return position === undefined ? report : { ...report, position: encodePosition(position) };
  }
}

/** The `ttlMs` counts from the call, time spent waiting for its turn included. */
function afterWaiting(message: PushMessage, calledAt: number): PushMessage {
  const waitedMs = waitedSince(calledAt);
  return waitedMs === 0 ? message : { ...message, ttlMs: Math.max(0, message.ttlMs - waitedMs) };
}

function waitedSince(calledAt: number): number {
  return Math.floor(performance.now() - calledAt);
}

function reached({
  delivered,
  filtered,
  failed,
}: {
  readonly delivered: number;
  readonly filtered: number;
  readonly failed: number;
}): boolean {
  return delivered + filtered + failed > 0;
}
