import type { LoopWsConfig } from '../loop-ws.config.js';
import { fullJitterMs } from '../protocol/full-jitter.js';
import { chunksOf, groupsOf } from '../util/chunks.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { atTurnEnd } from '../util/turn-end.js';
import { type ConnectionIdentity, endConnection, identityOf } from './connection-identity.js';
import type { RedisDriver } from './driver.js';
import type { PubSub } from './pub-sub.js';
import { slotOf } from './slots.js';
import { startDriver } from './start-driver.js';
import type { SubscribedChannel } from './subscribed-channel.js';

/** Channels per command. Bounds how long the command keeps Redis busy, and its reply the event loop. */
const CHUNK = 500;

export interface SubscribedConnectionListener {
  readonly pubSub: PubSub;
  receive(channel: string, message: Buffer): void;
  /** Redis refused a subscription, did not answer, or has dropped one. */
  refused(): void;
  /** Everything in the table is subscribed again, on a new connection. */
  mayHaveMissed(): void;
}

/**
 * A connection for subscriptions, and the table of what it must be subscribed to. After each reconnection the whole
 * table is subscribed again, because the resubscription of ioredis can silently lose subscriptions.
 */
export class SubscribedConnection {
  private readonly channels = new Map<string, SubscribedChannel>();
  private readonly last = new Set<SubscribedChannel>();
  /** How many connections were made so far. */
  private session = 0;
  /** The identity of the last session's connection. */
  private identity: ConnectionIdentity | undefined;
  /** Failed subscriptions since everything was last subscribed. */
  private failures = 0;
  private fresh: SubscribedChannel[] = [];
  private wholeOnce: { resolve(): void; reject(error: unknown): void } | undefined;

  constructor(
    private readonly redis: RedisDriver,
    private readonly listener: SubscribedConnectionListener,
    private readonly config: LoopWsConfig,
    private readonly logger: SampledLogger,
  ) {
    redis.on('error', (error) =>
      logger.warn('redis sub', 'The subscribed connection to Redis has a problem', error),
    );
    redis.on(listener.pubSub.message, (channel, message) =>
      listener.receive(channel.toString(), message),
    );
    redis.on('ready', () => void this.subscribeAll());
    redis.on('moved', () => {
      this.reportFailure(new Error('A channel has moved to another Redis server.'));
      this.renew();
    });
  }

  /** Whether every channel of the table is subscribed, as far as is known without asking Redis. */
  get isComplete(): boolean {
    return [...this.last].every((one) => this.isConfirmed(one));
  }

  /** Resolves when everything in the table is subscribed. Rejects when Redis refuses, or cannot be reached in time. */
  async start(): Promise<void> {
    const whole = new Promise<void>((resolve, reject) => (this.wholeOnce = { resolve, reject }));
    whole.catch(() => {}); // never awaited if the connection itself fails
    await startDriver(this.redis, this.config);
    await whole;
  }

  /** Connects as soon as the server can be reached. */
  startInBackground(): void {
    this.redis.connect().catch(() => {}); // a failure is also an error event, and is retried
  }

  get(name: string): SubscribedChannel | undefined {
    return this.channels.get(name);
  }

  isConfirmed(channel: SubscribedChannel): boolean {
    return this.redis.status === 'ready' && channel.isConfirmedIn(this.session);
  }

  /** Adds channels to the table. They are subscribed in this turn of the event loop, or once `after` has settled. */
  add(channels: readonly SubscribedChannel[], after?: Promise<unknown>): void {
    for (const channel of channels) {
      this.channels.set(channel.name, channel);
      if (channel.isLast) this.last.add(channel);
    }
    if (after !== undefined) {
      void after.then(() => this.subscribeFresh(channels));
      return;
    }
    if (this.fresh.length === 0) atTurnEnd(() => this.subscribeFresh(this.takeFresh()));
    this.fresh.push(...channels);
  }

  /**
   * Unsubscribes the channels for which `isMeant` is true. `gone` resolves when nothing more of them can arrive here.
   */
  remove(isMeant: (channel: SubscribedChannel) => boolean): {
    removed: SubscribedChannel[];
    gone: Promise<void>;
  } {
    const removed = [...this.channels.values()].filter(isMeant);
    for (const channel of removed) {
      this.channels.delete(channel.name);
      this.last.delete(channel);
      channel.forget();
    }
    if (this.redis.status !== 'ready') return { removed, gone: Promise.resolve() };
    const { pubSub } = this.listener;
    const replies = [...commandsFor(removed, pubSub)].map((chunk) =>
      pubSub.unsubscribe(this.redis, namesOf(chunk)),
    );
    return { removed, gone: Promise.allSettled(replies).then(() => {}) };
  }

  /** Closes a connection that seems dead. A new one is made. */
  renew(): void {
    this.redis.stream?.destroy();
  }

  close(): void {
    this.redis.disconnect();
  }

  /** Whether the channel is still in the table. */
  private isInTable(channel: SubscribedChannel): boolean {
    return this.channels.get(channel.name) === channel;
  }

  private takeFresh(): SubscribedChannel[] {
    const { fresh } = this;
    this.fresh = [];
    return fresh;
  }

  private subscribeFresh(channels: readonly SubscribedChannel[]): void {
    if (this.redis.status !== 'ready') return; // then the whole table is subscribed later
    void this.subscribe(channels, this.session);
  }

  private async subscribeAll(): Promise<void> {
    this.session++;
    this.endFormer();
    if (!(await this.subscribe([...this.channels.values()], this.session))) return;
    this.failures = 0;
    this.wholeOnce?.resolve();
    this.listener.mayHaveMissed();
  }

  /**
   * When Redis has not noticed that a connection was lost, the connection of the last session is still subscribed
   * there. It would be counted as a subscriber that hears everything, although only the present connection does.
   */
  private endFormer(): void {
    const { redis, session, identity } = this;
    this.identity = undefined;
    const ended = identity && endConnection(redis, identity);
    const identified = identityOf(redis).then((mine) => {
      if (session === this.session) this.identity = mine;
    });
    Promise.all([ended, identified]).catch((error: unknown) => {
      if (redis.status !== 'ready') return;
      const consequence = 'Pushes may have the outcome "unknown" after a network failure';
      this.logger.warn('client kill', `CLIENT INFO or KILL failed. ${consequence}`, error);
    });
  }

  /** Resolves with `false` when a subscription failed: the next connection then subscribes the whole table. */
  private async subscribe(
    channels: readonly SubscribedChannel[],
    session: number,
  ): Promise<boolean> {
    const last = channels.filter(({ isLast }) => isLast);
    const others = channels.filter(({ isLast }) => !isLast);
    return (await this.subscribeNow(others, session)) && this.subscribeNow(last, session);
  }

  private async subscribeNow(
    channels: readonly SubscribedChannel[],
    session: number,
  ): Promise<boolean> {
    const { pubSub } = this.listener;
    for (const commanded of commandsFor(channels, pubSub)) {
      const chunk = commanded.filter((channel) => this.isInTable(channel));
      if (chunk.length === 0) continue;
      try {
        await pubSub.subscribe(this.redis, namesOf(chunk));
      } catch (error) {
        if (session === this.session) this.refused(error as Error);
        return false;
      }
      if (session !== this.session) return false;
      // A channel that moved meanwhile counts only when its new server has confirmed it.
      for (const channel of chunk) if (this.isInTable(channel)) channel.confirm(session);
    }
    return true;
  }

  /**
   * A connection on which a subscription failed is of no use, whether Redis refused it or did not answer. The driver
   * resets its count of attempts with each connection, so failures are counted here.
   */
  private refused(error: Error): void {
    this.reportFailure(error);
    this.wholeOnce?.reject(error);
    const { session, config } = this;
    const { redisReconnectBaseMs: baseMs, redisReconnectCapMs: capMs } = config;
    const waitMs = fullJitterMs(this.failures++, { baseMs, capMs });
    setTimeout(() => {
      if (session === this.session) this.renew();
    }, waitMs).unref();
  }

  private reportFailure(error: Error): void {
    this.logger.warn('subscribe', 'A subscription failed and will be retried', error);
    this.listener.refused();
  }
}

/** Splits the channels into what one command may name: at most `CHUNK` channels, in a cluster all of one slot. */
function* commandsFor(
  channels: readonly SubscribedChannel[],
  pubSub: PubSub,
): Generator<readonly SubscribedChannel[]> {
  if (!pubSub.isSharded) return yield* chunksOf(channels, CHUNK);
  for (const ofSlot of groupsOf(channels, ({ name }) => slotOf(name)).values()) {
    yield* chunksOf(ofSlot, CHUNK);
  }
}

function namesOf(channels: readonly SubscribedChannel[]): string[] {
  return channels.map(({ name }) => name);
}
