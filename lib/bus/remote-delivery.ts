import { Injectable } from '@nestjs/common';
import { DurableTopics } from '../history/durable-topics.js';
import { LoopTransportError } from '../loop-ws.errors.js';
import { LoopTransport } from '../transport/loop-transport.js';
import type { PublishOptions } from '../transport/publish-options.js';
import type { Topic } from '../transport/topic.js';
import type { AppendOptions, AppendReceipt, TopicPolicy } from '../transport/topic-history.js';
import type { PushMessage, TransportMessage } from '../transport/transport-message.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { within } from '../util/within.js';
import type { Elsewhere, IncompleteReason } from './push-result.js';

/**
 * The transport's share of a caller's time. It settles earlier, so that an incomplete receipt can still be reported.
 */
const TRANSPORT_SHARE = 0.9;

/** How early a timer may fire, in milliseconds. */
const TIMER_SLACK_MS = 2;

/** How long other servers have to answer, at least, when the caller waits for `timeoutMs`; in milliseconds. */
export function answerTimeMs(timeoutMs: number): number {
  return timeoutMs * TRANSPORT_SHARE - TIMER_SLACK_MS;
}

/**
 * Hands messages to the transport. The caller gets a result in time, whatever the transport does: a receipt, or the
 * reason why there is none.
 */
@Injectable()
export class RemoteDelivery {
  constructor(
    private readonly transport: LoopTransport,
    private readonly durable: DurableTopics,
    private readonly logger: SampledLogger,
  ) {}

  publish(
    topic: Topic,
    message: TransportMessage,
    { timeoutMs, receipt }: PublishOptions,
  ): Promise<Elsewhere> {
    return this.inTime(timeoutMs, (transportMs) =>
      this.transport.publish(topic, message, { timeoutMs: transportMs, receipt }),
    );
  }

  /** Nobody waits for the result, so only the log can report a failure. */
  post(topic: Topic, message: TransportMessage, options: PublishOptions): void {
    this.transport
      .publish(topic, message, options)
      .catch((error: unknown) =>
        this.logger.warn('post', 'A push without a receipt did not reach the other servers', error),
      );
  }

  /** Unlike {@link publish}, it also reaches this server, once the push has its place in the history. */
  append(
    topic: Topic,
    push: PushMessage,
    policy: TopicPolicy,
    { timeoutMs, receipt, onPlaced }: AppendOptions,
  ): Promise<AppendReceipt | { why: IncompleteReason }> {
    return this.inTime(timeoutMs, (transportMs) =>
      this.durable.history.append(topic, push, policy, {
        timeoutMs: transportMs,
        receipt,
        onPlaced,
      }),
    );
  }

  private inTime<Receipt>(
    timeoutMs: number,
    hand: (transportMs: number) => Promise<Receipt>,
  ): Promise<Receipt | { why: IncompleteReason }> {
    const handed = hand(timeoutMs * TRANSPORT_SHARE).catch((error: unknown) => ({
      why: this.reasonOf(error),
    }));
    return within<Receipt | { why: IncompleteReason }>(handed, timeoutMs, () => ({
      why: 'timeout',
    }));
  }

  private reasonOf(error: unknown): IncompleteReason {
    if (error instanceof LoopTransportError) return error.code;
    this.logger.warn('publish', 'Publishing failed; the result is not complete', error);
    return 'failed';
  }
}
