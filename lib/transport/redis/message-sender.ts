import type { RedisBackbone } from '../../redis/redis-backbone.js';
import type { PublishOptions } from '../loop-transport.js';
import type { Topic } from '../topic.js';
import type { AppendOptions, AppendReceipt } from '../topic-history.js';
import {
  type PushMessage,
  type ServerReply,
  type TransportMessage,
  type TransportReceipt,
  UNKNOWN_YET,
} from '../transport-message.js';
import type { Appended } from './append-batches.js';
import { encodeEnvelope, NO_REPLY } from './envelope.codec.js';
import { OpenRequests } from './open-requests.js';
import { NO_PLACE } from './placed-bytes.js';
import type { RollCall } from './roll-call.js';

/** A message that is ready to travel. */
export interface Sealed {
  readonly envelope: Buffer;
  /** By the clock of Redis, in milliseconds. */
  readonly deadline: number;
}

/** Sends messages and gathers what the others did with them. */
export class MessageSender {
  private readonly requests = new OpenRequests();

  constructor(
    private readonly backbone: RedisBackbone,
    private readonly rollCall: RollCall,
    private readonly processId: string,
  ) {}

  async publish(
    topic: Topic,
    message: TransportMessage,
    { timeoutMs, receipt }: PublishOptions,
  ): Promise<TransportReceipt> {
    if (!receipt) {
      await this.send(topic, this.seal(message, NO_REPLY, timeoutMs, NO_PLACE));
      return { expected: 0, replies: [] };
    }
    const opened = this.requests.begin(timeoutMs, isForOne(message));
    const sealed = this.seal(message, opened.request, timeoutMs, NO_PLACE);
    const sending = this.sendCounted(topic, sealed);
    const sent = sending.then(([missing, receivers]) =>
      this.requests.sent(opened.request, receivers, missing),
    );
    return this.receiptOf(opened, sent);
  }

  /** `place` puts it into the history of its topic, which publishes it as well. */
  async append(
    push: PushMessage,
    { timeoutMs, receipt, onPlaced }: AppendOptions,
    place: (sealed: Sealed) => Promise<Appended>,
  ): Promise<AppendReceipt> {
    if (!receipt) {
      const { position } = await place(this.seal(push, NO_REPLY, timeoutMs));
      onPlaced(position);
      return { position, expected: 0, replies: [] };
    }
    const opened = this.requests.begin(timeoutMs, false);
    let appended: Appended | undefined;
    const placed = place(this.seal(push, opened.request, timeoutMs)).then((one) => {
      appended = one;
      onPlaced(one.position);
      const { receivers, missing } = one;
      this.requests.sent(opened.request, receivers ?? 0, receivers === undefined ? 0 : missing);
    });
    const whole = await this.receiptOf(opened, placed);
    if (appended === undefined) return whole;
    const { position, receivers } = appended;
    const isRepeated = receivers === undefined; // then what became of the first is not known here
    return { ...whole, ...(isRepeated && { here: UNKNOWN_YET }), position };
  }

  replied(request: number, reply: ServerReply): void {
    this.requests.replied(request, reply);
  }

  /** An own message came back. `here` is what this process did with one that it had not delivered before. */
  echoed(request: number, here?: ServerReply): void {
    this.requests.echoed(request, here);
  }

  close(): void {
    this.requests.close();
  }

  /** Rejects when it was not sent. */
  private receiptOf(
    { request, receipt }: ReturnType<OpenRequests['begin']>,
    sent: Promise<void>,
  ): Promise<Awaited<typeof receipt>> {
    sent.catch(() => this.requests.abandon(request));
    return Promise.race([receipt, sent.then(() => receipt)]);
  }

  /** Resolves when it is known who got it. Rejects when that cannot be known. */
  private sendCounted(topic: Topic, sealed: Sealed): Promise<[missing: number, receivers: number]> {
    return Promise.all([
      this.rollCall.missing(this.backbone.keys.everyoneFor(topic)),
      this.send(topic, sealed),
    ]);
  }

  /** Resolves with how many processes Redis has handed it to. */
  private send(topic: Topic, { envelope }: Sealed): Promise<number> {
    const { link, keys, pubSub } = this.backbone;
    return link.call<number>(pubSub.publish, keys.channelOf(topic), envelope);
  }

  /** One that a script places has its place written `before` it there. */
  private seal(
    message: TransportMessage,
    request: number,
    timeoutMs: number,
    before?: typeof NO_PLACE,
  ): Sealed {
    const lastsMs = message.kind === 'push' ? message.ttlMs : timeoutMs;
    const deadline = this.backbone.membership.redisNow() + lastsMs;
    const envelope = { origin: this.processId, request, deadline, lastsMs, message };
    return { deadline, envelope: encodeEnvelope(envelope, before) };
  }
}

function isForOne(message: TransportMessage): boolean {
  return (
    message.kind === 'ask' || (message.kind === 'push' && message.target.kind === 'connection')
  );
}
