import { LoopTransportError } from '../../loop-ws.errors.js';
import { ChannelSubscriber } from '../../redis/channel-subscriber.js';
import { InFlightWindow } from '../../redis/in-flight-window.js';
import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { asBootError } from '../../redis/start-driver.js';
import { settle } from '../../util/now-or-later.js';
import { randomId } from '../../util/random-id.js';
import { LoopTransport, type TransportServer } from '../loop-transport.js';
import type { PublishOptions } from '../publish-options.js';
import type { Place } from '../position.js';
import type { Topic } from '../topic.js';
import type { TransportMessage, TransportReceipt } from '../transport-message.js';
import { AppendBatches } from './append-batches.js';
import { decodeEnvelope, type Letter, NO_REPLY, onlyLetter } from './envelope.codec.js';
import { EnvelopeSender } from './envelope-sender.js';
import { MessageSender } from './message-sender.js';
import { readPlace } from './placed-bytes.js';
import { Probes } from './probes.js';
import { Publisher } from './publisher.js';
import { parseReplies, ReplyBatches } from './reply-batches.js';
import { RedisHistory } from './redis-history.js';
import { RollCall } from './roll-call.js';

const HELLO = 'hello ';
const BYE = 'bye ';

/**
 * Carries messages over Redis. Each topic is a Redis channel, and a process subscribes only to those it has a receiver
 * for, so the cost of a message does not depend on the number of processes.
 */
export class RedisTransport extends LoopTransport {
  private readonly processId = randomId();
  private readonly inbox: string;
  private readonly everyone: ReadonlySet<string>;
  private readonly topics = new Map<string, Topic>();
  private readonly sender: MessageSender;
  override readonly history: RedisHistory;
  /** Replies to other processes have a separate window, so that a flood of own pushes cannot block them. */
  private readonly posts: InFlightWindow;
  private readonly replies: ReplyBatches;
  private readonly publisher: Publisher;
  private readonly subscriber: ChannelSubscriber;
  private readonly probes: Probes;
  private server: TransportServer | undefined;
  private missedAt = -Infinity;

  constructor(private readonly backbone: RedisBackbone) {
    super();
    const { keys, topology, pubSub, config, logger, membership } = backbone;
    this.inbox = keys.inboxOf(this.processId);
    this.everyone = new Set(keys.everyone);
    const rollCall = new RollCall(membership, (everyone) => this.knowsAllSubscribers(everyone));
    this.publisher = new Publisher(
      backbone,
      new EnvelopeSender(backbone, rollCall),
      this.processId,
    );
    this.sender = new MessageSender(backbone, this.publisher);
    const appends = new AppendBatches(backbone, rollCall, this.publisher);
    this.history = new RedisHistory(backbone, appends, this.sender, this.processId);
    this.posts = new InFlightWindow(config);
    this.replies = new ReplyBatches((origin, batch) => void this.post(keys.inboxOf(origin), batch));
    this.subscriber = new ChannelSubscriber(topology, pubSub, config, logger, {
      receive: (channel, message) => this.receive(channel, message),
      givenUp: (channel) => this.topics.delete(channel),
      mayHaveMissed: () => this.mayHaveMissed(),
    });
    this.probes = new Probes(backbone, this.subscriber, this.processId);
    membership.onRejoined((before) => {
      void this.tellEveryone(BYE + before);
      void this.tellEveryone(HELLO + membership.memberId);
    });
  }

  override get isLive(): boolean {
    const { link, keys } = this.backbone;
    return keys.everyone.every(
      (channel) => link.reaches(channel) && this.subscriber.isCompleteFor(channel),
    );
  }

  override async start(server: TransportServer): Promise<void> {
    this.server = server;
    await this.backbone.start();
    const { keys, membership } = this.backbone;
    // Must come before this process is counted as hearing everything, so that whoever counts it knows that it exists.
    await this.tellEveryone(HELLO + membership.memberId);
    try {
      await this.subscriber.start([this.inbox, ...this.probes.channels], keys.everyone);
      await membership.catchUp();
    } catch (error) {
      this.subscriber.close();
      await this.backbone.close();
      throw asBootError(error);
    }
    this.probes.start();
  }

  override async attach(topics: readonly Topic[]): Promise<void> {
    await this.subscriber.attach(topics.map((topic) => this.channelOf(topic)));
  }

  override detach(topics: readonly Topic[]): void {
    this.subscriber.detach(topics.map((topic) => this.backbone.keys.channelOf(topic)));
  }

  override publish(
    topic: Topic,
    message: TransportMessage,
    options: PublishOptions,
  ): Promise<TransportReceipt> {
    return this.sender.publish(topic, message, options);
  }

  override async close(): Promise<void> {
    this.probes.close();
    this.publisher.flushAll();
    await this.tellEveryone(BYE + this.backbone.membership.memberId);
    this.sender.close();
    this.history.close();
    this.subscriber.close();
    await this.backbone.close();
  }

  private channelOf(topic: Topic): string {
    const channel = this.backbone.keys.channelOf(topic);
    this.topics.set(channel, topic);
    return channel;
  }

  /** Whether no announcement of a joining process can have been missed on this channel. */
  private knowsAllSubscribers(everyone: string): boolean {
    const { membership } = this.backbone;
    return this.subscriber.isCompleteFor(everyone) && membership.knewAllAt(this.missedAt);
  }

  private mayHaveMissed(): void {
    const { membership, logger } = this.backbone;
    this.missedAt = performance.now();
    this.server?.mayHaveMissed();
    membership
      .catchUp()
      .catch((error: unknown) =>
        logger.warn('beat', 'The heartbeat to Redis failed and will be retried', error),
      );
  }

  private async tellEveryone(news: string): Promise<void> {
    await Promise.all(this.backbone.keys.everyone.map((channel) => this.post(channel, news)));
  }

  /** Never rejects: a process that expects the message notices by a timeout that it is missing. */
  private async post(channel: string, message: string): Promise<void> {
    const { link, logger, pubSub } = this.backbone;
    try {
      await this.posts.hold(message.length, () =>
        link.send(channel, pubSub.publish, [channel, message]),
      );
    } catch (error) {
      if (error instanceof LoopTransportError) return;
      logger.warn('post', 'A message to another server could not be sent', error);
    }
  }

  private receive(channel: string, message: Buffer): void {
    try {
      const topic = this.topics.get(channel);
      if (topic !== undefined) this.receiveMessage(topic, message);
      else if (channel === this.inbox) this.receiveReplies(message.toString());
      else if (this.everyone.has(channel)) this.receiveNews(message.toString());
      else this.probes.arrived(channel);
    } catch (error) {
      this.backbone.logger.warn('receive', `A message on ${channel} could not be read`, error);
    }
  }

  private receiveReplies(batch: string): void {
    const { replies, unreadable } = parseReplies(batch);
    for (const [request, reply] of replies) this.sender.replied(request, reply);
    if (unreadable > 0) throw new RangeError(`${unreadable} of its replies are invalid`);
  }

  private receiveNews(news: string): void {
    const { membership } = this.backbone;
    if (news.startsWith(HELLO)) membership.noteJoined(news.slice(HELLO.length));
    if (news.startsWith(BYE)) membership.noteLeft(news.slice(BYE.length));
  }

  private receiveMessage(topic: Topic, bytes: Buffer): void {
    if (bytes.length === 0) return this.server!.mayHaveMissed([topic]);
    const { place, rest } = readPlace(bytes);
    const envelope = decodeEnvelope(rest, topic, this.backbone.membership.redisNow());
    if (envelope === undefined) {
      this.backbone.logger.warn('version', 'A message of an unknown protocol version was dropped');
      return;
    }
    const { origin, letters } = envelope;
    if (place !== undefined) this.receiveLetter(origin, onlyLetter(envelope), place);
    else for (const letter of letters) this.receiveLetter(origin, letter);
  }

  private receiveLetter(origin: string, { request, message }: Letter, place?: Place): void {
    const isPlaced = place !== undefined && message.kind === 'push';
    if (isPlaced) this.handle(origin, request, { ...message, place });
    else if (origin === this.processId) this.sender.echoed(request);
    else this.handle(origin, request, message);
  }

  private handle(origin: string, request: number, message: TransportMessage): void {
    void settle(
      () => this.server!.receive(message),
      (reply) => {
        if (request === NO_REPLY) return;
        if (origin === this.processId) this.sender.echoed(request, reply);
        else this.replies.add(origin, request, reply);
      },
      (error) => this.backbone.logger.warn('receive', 'A message could not be handled', error),
    );
  }
}
