import { Inject, Injectable } from '@nestjs/common';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { BUS_SETTINGS, type BusSettings } from '../loop-ws.settings.js';
import { LoopTransport } from '../transport/loop-transport.js';
import type { Position } from '../transport/position.js';
import { type Topic, topicKey } from '../transport/topic.js';
import type { HistoryPolicy, PlacedPush, TopicHistory } from '../transport/topic-history.js';
import { NOTHING_DONE, type ServerReply } from '../transport/transport-message.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { type FollowerListener, TopicFollower } from './topic-follower.js';

/** Follows the history of each topic that this server has a receiver for. */
@Injectable()
export class DurableTopics {
  private readonly followers = new Map<string, TopicFollower>();
  private readonly largestSize: number;
  private listener: FollowerListener | undefined;

  constructor(
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
    private readonly transport: LoopTransport,
    private readonly logger: SampledLogger,
  ) {
    this.largestSize = Math.max(...[...settings.histories.values()].map(({ size }) => size));
  }

  /** Absent when no service has a history. */
  get history(): TopicHistory | undefined {
    return this.settings.histories.size === 0 ? undefined : this.transport.history;
  }

  /** Call it before anything is attached. Throws a {@link LoopWsBootError} when the transport keeps no history. */
  start(listener: FollowerListener): void {
    const [service] = this.settings.histories.keys();
    if (service !== undefined && this.transport.history === undefined) {
      throw new LoopWsBootError(
        `LoopWs: option "services.${service}.history" needs a transport that keeps histories, and this one does not. ` +
          'Remove the history, or use the transport in memory.',
      );
    }
    this.listener = listener;
  }

  /** How much is kept of a push of the service on the topic; absent when it is not durable. */
  policyOf(topic: Topic, service: string): HistoryPolicy | undefined {
    const own = this.settings.histories.get(service);
    if (own === undefined || topic.kind === 'service') return own;
    return { ...own, size: this.largestSize };
  }

  /** Those that have a history. */
  get services(): string[] {
    return [...this.settings.histories.keys()];
  }

  /** Whether something on the topic may be durable. */
  isDurable({ kind, name }: Topic): boolean {
    const { histories } = this.settings;
    return kind === 'service' ? histories.has(name) : histories.size > 0;
  }

  positionOf(topic: Topic): Position | undefined {
    return this.followers.get(topicKey(topic))?.position;
  }

  /** Call it when the topics are attached. Resolves when nothing that is pushed from now on can be missed. */
  async follow(topics: readonly Topic[]): Promise<void> {
    const { history, listener } = this;
    const durable = topics.filter((topic) => this.isDurable(topic));
    if (history === undefined || listener === undefined || durable.length === 0) return;
    const fresh = durable.map((topic) => new TopicFollower(topic, history, listener, this.logger));
    for (const [at, follower] of fresh.entries()) {
      this.followers.set(topicKey(durable[at]!), follower);
    }
    const positions = await history.positionsOf(durable);
    for (const [at, follower] of fresh.entries()) follower.start(positions[at]!);
  }

  forget(topics: readonly Topic[]): void {
    for (const topic of topics) {
      this.followers.get(topicKey(topic))?.close();
      this.followers.delete(topicKey(topic));
    }
  }

  receive(topic: Topic, push: PlacedPush): ServerReply | Promise<ServerReply> {
    return this.followers.get(topicKey(topic))?.receive(push) ?? NOTHING_DONE;
  }
}
