import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopTransportError } from '../loop-ws.errors.js';
import { groupsOf } from '../util/chunks.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import type { PubSub } from './pub-sub.js';
import { SubscribedChannel } from './subscribed-channel.js';
import { SubscribedConnection } from './subscribed-connection.js';
import type { RedisServer, Topology } from './topology.js';

export interface ChannelListener {
  receive(channel: string, message: Buffer): void;
  /** Nobody has needed the channel for `topicLingerMs`; it is unsubscribed, and nothing more of it can arrive. */
  givenUp(channel: string): void;
  /** Messages may have been missed; from now on, none are. */
  mayHaveMissed(): void;
}

/**
 * Subscribes to Redis channels, each on the server that keeps it, and follows them when they move to another server.
 */
export class ChannelSubscriber {
  private readonly connections = new Map<RedisServer, SubscribedConnection>();
  /** Channels that no server keeps at the moment, by name. */
  private readonly unassigned = new Map<string, SubscribedChannel>();
  /** Channels that nobody needs and of which something may still arrive, by name. */
  private readonly leaving = new Map<string, SubscribedChannel>();
  private lingering: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly topology: Topology,
    private readonly pubSub: PubSub,
    private readonly config: LoopWsConfig,
    private readonly logger: SampledLogger,
    private readonly listener: ChannelListener,
  ) {}

  /**
   * Resolves when the channels are subscribed: `last` after `first` and, on later connections, after everything else.
   * Rejects when Redis refuses, or cannot be reached in time.
   */
  async start(first: readonly string[], last: readonly string[]): Promise<void> {
    const started = this.follow();
    for (const name of first) this.create(name, false);
    for (const name of last) this.create(name, true);
    if (this.unassigned.size > 0) throw noServerForChannel();
    this.topology.onChange(() => {
      for (const connection of this.follow()) connection.startInBackground();
      this.moveChannels();
    });
    await Promise.all(started.map((connection) => connection.start()));
    const everyMs = Math.max(50, this.config.topicLingerMs / 4);
    this.lingering = setInterval(() => this.unsubscribeIdle(), everyMs).unref();
  }

  /**
   * Resolves when Redis has confirmed the channels. If the present connection breaks meanwhile, that happens on the
   * next one; if no server keeps a channel now, on the next server that does.
   */
  async attach(names: readonly string[]): Promise<void> {
    const waits = names.map((name) => this.attachOne(name)).filter((wait) => wait !== undefined);
    if (waits.length > 0) await Promise.all(waits);
  }

  /** The channels may be unsubscribed after `topicLingerMs`. */
  detach(names: readonly string[]): void {
    const until = performance.now() + this.config.topicLingerMs;
    for (const name of names) {
      const channel = this.find(name);
      if (channel !== undefined) channel.until = until;
    }
  }

  /**
   * Whether everything on the server that keeps this channel is subscribed, as far as is known without asking Redis.
   */
  isCompleteFor(name: string): boolean {
    return this.connectionFor(name)?.isComplete ?? false;
  }

  /** Closes the connection to the server that keeps this channel, because it seems dead. A new one is made. */
  renew(name: string): void {
    this.connectionFor(name)?.renew();
  }

  close(): void {
    clearInterval(this.lingering);
    for (const connection of this.connections.values()) connection.close();
  }

  /** Returns `undefined` when there is nothing to wait for. A lingering channel is kept. */
  private attachOne(name: string): Promise<void> | undefined {
    const holder = this.holderOf(name);
    const channel = this.find(name) ?? this.create(name, false);
    channel.until = undefined;
    return holder?.isConfirmed(channel)
      ? undefined
      : channel.confirmed(this.config.attachTimeoutMs);
  }

  private create(name: string, isLast: boolean): SubscribedChannel {
    const channel = new SubscribedChannel(name, isLast);
    const connection = this.connectionFor(name);
    if (connection !== undefined) connection.add([channel]);
    else this.unassigned.set(name, channel);
    return channel;
  }

  private find(name: string): SubscribedChannel | undefined {
    return this.holderOf(name)?.get(name) ?? this.unassigned.get(name);
  }

  /** A channel that no server keeps now stays with the last one that kept it, as long as that server is known. */
  private holderOf(name: string): SubscribedConnection | undefined {
    return this.connectionFor(name) ?? [...this.connections.values()].find((one) => one.get(name));
  }

  private connectionFor(name: string): SubscribedConnection | undefined {
    const server = this.topology.ownerOf(name);
    return server && this.connections.get(server);
  }

  /** Ensures one connection per server, and returns the new ones, which have to be started. */
  private follow(): SubscribedConnection[] {
    return this.topology.servers
      .filter((server) => !this.connections.has(server))
      .map((server) => this.connect(server));
  }

  private connect(server: RedisServer): SubscribedConnection {
    const { pubSub, listener, topology } = this;
    const connection = new SubscribedConnection(
      server.createConnection(),
      {
        pubSub,
        receive: (channel, message) => listener.receive(channel, message),
        refused: () => void topology.refresh(),
        mayHaveMissed: () => listener.mayHaveMissed(),
      },
      this.config,
      this.logger,
    );
    this.connections.set(server, connection);
    return connection;
  }

  /**
   * Subscribes a moved channel on its new server only after it is unsubscribed on the old one. A message in between may
   * be missed, which its receipt shows, but none arrives twice.
   */
  private moveChannels(): void {
    const unassigned = [...this.unassigned.values()];
    this.unassigned.clear();
    this.assign(unassigned);
    for (const [server, connection] of this.connections) {
      const isGone = !this.topology.servers.includes(server);
      const isElsewhere = ({ name }: SubscribedChannel): boolean => {
        const owner = this.topology.ownerOf(name);
        return owner === undefined ? isGone : owner !== server;
      };
      const { removed, gone } = connection.remove(isElsewhere);
      this.assign(removed, gone);
      if (isGone) this.disconnect(server, connection);
    }
  }

  private assign(channels: readonly SubscribedChannel[], after?: Promise<unknown>): void {
    for (const [connection, group] of groupsOf(channels, ({ name }) => this.connectionFor(name))) {
      if (connection !== undefined) connection.add(group, after);
      else for (const channel of group) this.unassigned.set(channel.name, channel);
      if (connection !== undefined) this.announceWhenConfirmed(group);
    }
  }

  /**
   * A channel that is confirmed later, on a new connection, is announced together with all others of that connection.
   */
  private announceWhenConfirmed(moved: readonly SubscribedChannel[]): void {
    const { attachTimeoutMs } = this.config;
    Promise.all(moved.map((channel) => channel.confirmed(attachTimeoutMs))).then(
      () => this.listener.mayHaveMissed(),
      () => {},
    );
  }

  private disconnect(server: RedisServer, connection: SubscribedConnection): void {
    this.connections.delete(server);
    connection.close();
  }

  private unsubscribeIdle(): void {
    const now = performance.now();
    const isIdle = ({ until }: SubscribedChannel): boolean => until !== undefined && until <= now;
    const unassigned = [...this.unassigned.values()].filter(isIdle);
    for (const { name } of unassigned) this.unassigned.delete(name);
    this.giveUp(unassigned);
    for (const connection of this.connections.values()) {
      const { removed, gone } = connection.remove(isIdle);
      this.giveUp(removed, gone);
    }
  }

  private giveUp(channels: readonly SubscribedChannel[], gone = Promise.resolve()): void {
    for (const channel of channels) this.leaving.set(channel.name, channel);
    void gone.then(() => {
      for (const channel of channels) this.left(channel);
    });
  }

  private left(channel: SubscribedChannel): void {
    const { name } = channel;
    if (this.leaving.get(name) !== channel) return; // needed and left again since
    this.leaving.delete(name);
    if (this.find(name) === undefined) this.listener.givenUp(name); // else it is needed again
  }
}

function noServerForChannel(): LoopTransportError {
  return new LoopTransportError('unavailable', 'No Redis server keeps a required channel now');
}
