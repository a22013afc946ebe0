import type { RedisBackbone } from '../../redis/redis-backbone.js';
import type { PublishOptions } from '../publish-options.js';
import type { Topic } from '../topic.js';
import type { AppendOptions, AppendReceipt } from '../topic-history.js';
import {
  type PushMessage,
  type ServerReply,
  type TransportMessage,
  type TransportReceipt,
  OUTCOME_UNKNOWN,
} from '../transport-message.js';
import type { Appended } from './append-batches.js';
import { type Letter, NO_REPLY } from './envelope.codec.js';
import { OpenRequests } from './open-requests.js';
import type { Publisher } from './publisher.js';

/** Sends messages and gathers what the other servers did with them. */
export class MessageSender {
  private readonly requests = new OpenRequests();

  constructor(
    private readonly backbone: RedisBackbone,
    private readonly publisher: Publisher,
  ) {}

  async publish(
    topic: Topic,
    message: TransportMessage,
    { timeoutMs, receipt }: PublishOptions,
  ): Promise<TransportReceipt> {
    if (!receipt) {
      await this.publisher.publish(topic, this.letterOf(message, NO_REPLY, timeoutMs), false);
      return { expected: 0, replies: [] };
    }
    const opened = this.requests.begin(timeoutMs, isForOne(message));
    const letter = this.letterOf(message, opened.request, timeoutMs);
    const sent = this.publisher
      .publish(topic, letter, true)
      .then(({ receivers, missing }) => this.requests.sent(opened.request, receivers, missing));
    sent.catch((error: unknown) => this.requests.failed(opened.request, error));
    return opened.receipt;
  }

  /** `place` adds the push to the history of its topic, and publishes it in the same step. */
  async append(
    push: PushMessage,
    { timeoutMs, receipt, onPlaced }: AppendOptions,
    place: (letter: Letter) => Promise<Appended>,
  ): Promise<AppendReceipt> {
    if (!receipt) {
      const { position } = await place(this.letterOf(push, NO_REPLY, timeoutMs));
      onPlaced(position);
      return { position, expected: 0, replies: [] };
    }
    const opened = this.requests.begin(timeoutMs, false);
    let appended: Appended | undefined;
    const placed = place(this.letterOf(push, opened.request, timeoutMs)).then((one) => {
      appended = one;
      onPlaced(one.position);
      const { receivers, missing } = one;
      this.requests.sent(opened.request, receivers ?? 0, receivers === undefined ? 0 : missing);
    });
    placed.catch((error: unknown) => this.requests.failed(opened.request, error));
    const whole = await opened.receipt;
    if (appended === undefined) return whole;
    const { position, receivers } = appended;
    const isRepeated = receivers === undefined; // the outcome of the first push is not known here
    return { ...whole, ...(isRepeated && { here: OUTCOME_UNKNOWN }), position };
  }

  replied(request: number, reply: ServerReply): void {
    this.requests.replied(request, reply);
  }

  /** An own message came back. `here` is what this process did with it, if it had not delivered it before. */
  echoed(request: number, here?: ServerReply): void {
    this.requests.echoed(request, here);
  }

  close(): void {
    this.requests.close();
  }

  private letterOf(message: TransportMessage, request: number, timeoutMs: number): Letter {
    const lifetimeMs = message.kind === 'push' ? message.ttlMs : timeoutMs;
    const deadline = this.backbone.membership.redisNow() + lifetimeMs;
    return { request, deadline, lifetimeMs, message };
  }
}

function isForOne(message: TransportMessage): boolean {
  return (
    message.kind === 'ask' || (message.kind === 'push' && message.target.kind === 'connection')
  );
}
