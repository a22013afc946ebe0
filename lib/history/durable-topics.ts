import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { BUS_SETTINGS, type BusSettings } from '../loop-ws.settings.js';
import { LoopTransport } from '../transport/loop-transport.js';
import type { Position } from '../transport/position.js';
import { type Topic, topicKey } from '../transport/topic.js';
import type { HistoryPolicy, PlacedPush, TopicPolicy } from '../transport/topic-history.js';
import { EMPTY_REPLY, type ServerReply } from '../transport/transport-message.js';
import { chunksOf } from '../util/chunks.js';
import { inParallel } from '../util/in-parallel.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { BoundedHistory } from './bounded-history.js';
import { type FollowerListener, TopicFollower } from './topic-follower.js';

/** How many topics one verification covers, and how many verifications run at once. */
const CHUNK = 500;
const VERIFIED_AT_ONCE = 4;

/** Time until a failed verification is tried again, in milliseconds. */
const RETRY_MS = 500;

/** Number of parts in which all topics are verified, one part after another. */
const VERIFIED_IN_PARTS = 120;

/** Follows the history of each topic for which this server has a receiver. */
@Injectable()
export class DurableTopics {
  /** Usable only when the transport keeps histories. */
  readonly history: BoundedHistory;
  private readonly followers = new Map<string, TopicFollower>();
  private readonly largest: HistoryPolicy;
  private listener: FollowerListener | undefined;
  private verifying: ReturnType<typeof setInterval> | undefined;
  private isVerifying = false;
  /** The topics still to be verified in this round. */
  private unverified: TopicFollower[] = [];

  constructor(
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
    private readonly transport: LoopTransport,
    private readonly logger: SampledLogger,
  ) {
    this.history = new BoundedHistory(transport.history!);
    const policies = [...settings.histories.values()];
    this.largest = {
      size: Math.max(...policies.map(({ size }) => size)),
      ttlMs: Math.max(...policies.map(({ ttlMs }) => ttlMs)),
    };
  }

  /**
   * Call it before any topic is attached. Throws a {@link LoopWsBootError} when a service has a history and the
   * transport keeps none.
   */
  start(listener: FollowerListener): void {
    const [service] = this.settings.histories.keys();
    if (service === undefined) return;
    if (this.transport.history === undefined) {
      throw new LoopWsBootError(
        `LoopWs: option "services.${service}.history" needs a transport that keeps histories, and this one does not. ` +
          'Remove the history, or use the in-memory transport or the Redis transport (option "redis").',
      );
    }
    this.listener = listener;
    const everyMs = Math.max(1, this.settings.config.historyCheckMs / VERIFIED_IN_PARTS);
    this.verifying = setInterval(() => void this.verifyPart(), everyMs).unref();
  }

  close(): void {
    clearInterval(this.verifying);
    for (const follower of this.followers.values()) follower.close();
    this.followers.clear();
  }

  /** How much of the topic's history is kept for a push of the service; `undefined` when the push is not durable. */
  policyOf(topic: Topic, service: string): TopicPolicy | undefined {
    const own = this.settings.histories.get(service);
    if (own === undefined || this.transport.history === undefined) return undefined;
    const { size, ttlMs: keptMs } = topic.kind === 'service' ? own : this.largest;
    return { size, ttlMs: own.ttlMs, keptMs };
  }

  /** The services that have a history. */
  get services(): string[] {
    return [...this.settings.histories.keys()];
  }

  /** Whether pushes on the topic may be durable. */
  isDurable({ kind, name }: Topic): boolean {
    const { histories } = this.settings;
    return kind === 'service' ? histories.has(name) : histories.size > 0;
  }

  positionOf(topic: Topic): Position | undefined {
    return this.followers.get(topicKey(topic))?.position;
  }

  /** When a push of the topic was last delivered here, on the clock of `performance.now()`. */
  movedAt(topic: Topic): number | undefined {
    return this.followers.get(topicKey(topic))?.movedAt;
  }

  /**
   * Calls back when this server has delivered everything up to the position, or at once if it does not follow the
   * topic.
   */
  whenDelivered(topic: Topic, position: Position, callback: () => void): void {
    const follower = this.followers.get(topicKey(topic));
    if (follower === undefined) callback();
    else follower.whenDelivered(position, callback);
  }

  /**
   * Call it once the topics are attached, and again if it rejects. Resolves when no later push can be missed.
   */
  async follow(topics: readonly Topic[]): Promise<void> {
    const { listener } = this;
    const durable = topics.filter((topic) => this.isDurable(topic));
    if (listener === undefined || durable.length === 0) return;
    const followers = durable.map((topic) => this.followerOf(topic, listener));
    const positions = await this.history.positionsOf(durable);
    for (const [at, follower] of followers.entries()) void follower.verify(positions[at]!);
  }

  private followerOf(topic: Topic, listener: FollowerListener): TopicFollower {
    const key = topicKey(topic);
    const known = this.followers.get(key);
    const follower = known ?? new TopicFollower(topic, this.history, listener, this.logger);
    this.followers.set(key, follower);
    return follower;
  }

  forget(topics: readonly Topic[]): void {
    for (const topic of topics) {
      this.followers.get(topicKey(topic))?.close();
      this.followers.delete(topicKey(topic));
    }
  }

  receive(topic: Topic, push: PlacedPush): ServerReply | Promise<ServerReply> {
    return this.followers.get(topicKey(topic))?.receive(push) ?? EMPTY_REPLY;
  }

  /**
   * Call it when messages on these topics, or on all topics by default, may have been missed: reads what followed the
   * last push of each. Resolves when that was possible.
   */
  async mayHaveMissed(topics?: readonly Topic[]): Promise<void> {
    const keys = topics?.map(topicKey) ?? [...this.followers.keys()];
    while (!(await this.verify(this.followersOf(keys)))) {
      await delay(RETRY_MS, undefined, { ref: false });
    }
  }

  /**
   * Resolves when this server has delivered everything up to the topic's current position, or has reported its loss.
   */
  async catchUp(topic: Topic): Promise<void> {
    const [position] = await this.history.positionsOf([topic]);
    await this.followers.get(topicKey(topic))?.verifyGently(position!);
  }

  /** The loss of a topic's last message leaves no visible gap, so each topic is verified from time to time. */
  private async verifyPart(): Promise<void> {
    if (this.isVerifying) return;
    this.isVerifying = true;
    if (this.unverified.length === 0) this.unverified = [...this.followers.values()];
    const length = Math.ceil(this.followers.size / VERIFIED_IN_PARTS);
    await this.verify(this.unverified.splice(0, length), (follower, position) =>
      follower.verifyGently(position),
    );
    this.isVerifying = false;
  }

  private followersOf(keys: readonly string[]): TopicFollower[] {
    return keys.map((key) => this.followers.get(key)).filter((one) => one !== undefined);
  }

  /** Resolves with `false` when the positions could not be read. */
  private async verify(
    followers: readonly TopicFollower[],
    how = (follower: TopicFollower, position: Position) => follower.verify(position),
  ): Promise<boolean> {
    try {
      await inParallel(VERIFIED_AT_ONCE, chunksOf(followers, CHUNK), async (chunk) => {
        const positions = await this.history.positionsOf(chunk.map(({ topic }) => topic));
        for (const [at, follower] of chunk.entries()) {
          void how(follower, positions[at]!).catch((error: unknown) => this.isUnverified(error));
        }
      });
      return true;
    } catch (error) {
      this.isUnverified(error);
      return false;
    }
  }

  private isUnverified(error: unknown): void {
    this.logger.warn('history', 'Histories could not be verified; this is retried', error);
  }
}
