import { randomBytes } from 'node:crypto';
import { LoopTransportError } from '../../loop-ws.errors.js';
import { ChannelSubscriber } from '../../redis/channel-subscriber.js';
import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { notReached } from '../../redis/redis-link.js';
import { LoopTransport, type TransportServer } from '../loop-transport.js';
import type { Topic } from '../topic.js';
import type { TransportMessage, TransportReceipt } from '../transport-message.js';
import { decodeEnvelope, encodeEnvelope } from './envelope.codec.js';
import { OpenRequests } from './open-requests.js';
import { Probe } from './probe.js';
import { parseReplies, ReplyBatches } from './reply-batches.js';
import { RollCall } from './roll-call.js';

const PROBE = 'probe';
const HELLO = 'hello ';
const BYE = 'bye ';

/**
 * Carries messages over Redis. Each topic is a channel, and a process is subscribed to those it has a receiver for, so
 * a message costs the same however many processes there are.
 */
export class RedisTransport extends LoopTransport {
  private readonly processId = randomBytes(9).toString('base64url');
  private readonly inbox: string;
  private readonly topics = new Map<string, Topic>();
  private readonly requests = new OpenRequests();
  private readonly replies: ReplyBatches;
  private readonly rollCall: RollCall;
  private readonly subscriber: ChannelSubscriber;
  private readonly probe: Probe;
  private server: TransportServer | undefined;

  constructor(private readonly backbone: RedisBackbone) {
    super();
    const { keys, link, config, logger, membership } = backbone;
    this.inbox = keys.inboxOf(this.processId);
    this.rollCall = new RollCall(backbone);
    this.replies = new ReplyBatches((origin, batch) => this.post(keys.inboxOf(origin), batch));
    this.subscriber = new ChannelSubscriber(
      backbone.subscriber,
      config,
      logger,
      keys.everyone,
      (channel, message) => this.receive(channel, message),
      (channel) => this.topics.delete(channel),
    );
    this.probe = new Probe(link, config, this.inbox, PROBE, this.subscriber);
    membership.onRejoined((before) => {
      this.post(keys.everyone, BYE + before);
      this.post(keys.everyone, HELLO + membership.memberId);
    });
  }

  override async start(server: TransportServer): Promise<void> {
    this.server = server;
    await this.backbone.start();
    const { link, keys, membership } = this.backbone;
    // Before this process is counted as one that hears everything: who counts it knows that it exists.
    await link.call('PUBLISH', keys.everyone, HELLO + membership.memberId).catch(() => {});
    try {
      await this.subscriber.start([this.inbox]);
    } catch (error) {
      this.subscriber.close();
      await this.backbone.close();
      throw notReached((error as Error).message);
    }
    this.probe.start();
  }

  override async attach(topics: readonly Topic[]): Promise<void> {
    await this.subscriber.attach(topics.map((topic) => this.channelOf(topic)));
  }

  override detach(topics: readonly Topic[]): void {
    this.subscriber.detach(topics.map((topic) => this.backbone.keys.channelOf(topic)));
  }

  override async publish(
    topic: Topic,
    message: TransportMessage,
    timeoutMs: number,
  ): Promise<TransportReceipt> {
    const { request, receipt } = this.requests.begin(timeoutMs);
    const sending = this.send(topic, message, request, timeoutMs);
    sending.catch(() => this.requests.abandon(request));
    return Promise.race([receipt, sending.then(() => receipt)]);
  }

  override async close(): Promise<void> {
    const { link, keys, membership } = this.backbone;
    this.probe.close();
    await link.call('PUBLISH', keys.everyone, BYE + membership.memberId).catch(() => {});
    this.requests.close();
    this.subscriber.close();
    await this.backbone.close();
  }

  /** Resolves when it is known who got it. Rejects when that cannot be known. */
  private async send(
    topic: Topic,
    message: TransportMessage,
    request: number,
    timeoutMs: number,
  ): Promise<void> {
    const { link, keys, membership } = this.backbone;
    const lastsMs = message.kind === 'push' ? message.ttlMs : timeoutMs;
    const deadline = membership.redisNow() + lastsMs;
    const bytes = encodeEnvelope({ origin: this.processId, request, deadline, message });
    const [receivers, missing] = await Promise.all([
      link.call<number>('PUBLISH', keys.channelOf(topic), bytes),
      this.rollCall.missing(),
    ]);
    this.requests.sent(request, receivers, missing);
  }

  private channelOf(topic: Topic): string {
    const channel = this.backbone.keys.channelOf(topic);
    this.topics.set(channel, topic);
    return channel;
  }

  /** Nobody waits for it; who expects it sees in time that it did not come. */
  private post(channel: string, message: string): void {
    this.backbone.link.call('PUBLISH', channel, message).catch((error: unknown) => {
      const known = error instanceof LoopTransportError;
      if (!known) this.backbone.logger.warn('post', 'A message to another server failed', error);
    });
  }

  private receive(channel: string, message: Buffer): void {
    try {
      if (channel === this.inbox) this.receiveOwn(message.toString());
      else if (channel === this.backbone.keys.everyone) this.receiveNews(message.toString());
      else this.receiveMessage(channel, message);
    } catch (error) {
      this.backbone.logger.warn('receive', `A message on ${channel} could not be read`, error);
    }
  }

  private receiveOwn(message: string): void {
    if (message === PROBE) return this.probe.arrived();
    for (const [request, reply] of parseReplies(message)) this.requests.replied(request, reply);
  }

  private receiveNews(news: string): void {
    const { membership } = this.backbone;
    if (news.startsWith(HELLO)) membership.noteJoined(news.slice(HELLO.length));
    if (news.startsWith(BYE)) membership.noteLeft(news.slice(BYE.length));
  }

  private receiveMessage(channel: string, bytes: Buffer): void {
    const topic = this.topics.get(channel);
    if (topic === undefined) return;
    const envelope = decodeEnvelope(bytes, topic, this.backbone.membership.redisNow());
    if (envelope === undefined) {
      this.backbone.logger.warn('version', 'A message of an unknown version was dropped');
      return;
    }
    if (envelope.origin === this.processId) return this.requests.echoed(envelope.request);
    void this.handle(envelope.origin, envelope.request, envelope.message);
  }

  private async handle(origin: string, request: number, message: TransportMessage): Promise<void> {
    const reply = await this.server!.receive(message);
    this.replies.add(origin, request, reply);
  }
}
