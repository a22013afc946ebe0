import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Observable, Subject } from 'rxjs';
import { LoopWsError } from '../loop-ws.errors.js';
import { BUS_SETTINGS, type BusSettings } from '../loop-ws.settings.js';
import { CloseCode } from '../protocol/close-code.js';
import { requirePattern, topicsOfPattern } from '../transport/pattern-topics.js';
import type { Topic } from '../transport/topic.js';
import { TopicInterest } from '../transport/topic-interest.js';
import { GroupedMap } from '../util/grouped-map.js';
import { GuardedObservable } from '../util/guarded-observable.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { KeyedSets } from './keyed-sets.js';
import type { ConnectionClose, LoopConnection } from './loop-connection.js';
import { REPLACED } from './replaced.js';
import { requireIds } from './require-ids.js';
import { requireRoomName } from './room-name.js';
import { SubscriptionGroups } from './subscription-groups.js';

export type ConnectionEvent =
  | { readonly type: 'opened'; readonly connection: LoopConnection }
  | {
      readonly type: 'closed';
      readonly connection: LoopConnection;
      readonly close: ConnectionClose;
    };

/** What one call has added while its topics are being attached, less what was removed again meanwhile. */
interface Attaching {
  readonly patterns: Set<string>;
  readonly rooms: Set<string>;
}

/** The open connections of this server. For the whole cluster, see `PresenceStore`. */
@Injectable()
export class ConnectionRegistry implements Iterable<LoopConnection>, OnApplicationShutdown {
  private readonly accounts = new GroupedMap<LoopConnection>(({ connectionId }) => connectionId);
  /** Several opening connections may have the same identity. */
  private readonly opening = new GroupedMap<LoopConnection>(
    ({ registration }) => registration.registration,
  );
  private readonly subscriptions = new SubscriptionGroups<LoopConnection>();
  private readonly roomMembers = new KeyedSets<LoopConnection>();
  private readonly events = new Subject<ConnectionEvent>();
  private readonly opened = new Set<LoopConnection>();
  private readonly attaching = new Map<LoopConnection, Set<Attaching>>();

  constructor(
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
    private readonly interest: TopicInterest,
    private readonly logger: SampledLogger,
  ) {}

  /** Number of open connections on this server. */
  get size(): number {
    return this.opened.size;
  }

  /**
   * Connections opened and closed on this server, in order, each emitted right after it happened. An observer that
   * throws is logged and stays subscribed. Completes on shutdown.
   */
  get events$(): Observable<ConnectionEvent> {
    const report = (error: unknown): void =>
      this.logger.error('events$', 'An observer of ConnectionRegistry.events$ failed', error);
    return new GuardedObservable(report, (subscriber) => this.events.subscribe(subscriber));
  }

  get(accountId: string, connectionId: string): LoopConnection | undefined {
    return this.accounts.get(accountId, connectionId);
  }

  ofAccount(accountId: string): LoopConnection[] {
    return this.accounts.of(accountId);
  }

  [Symbol.iterator](): Iterator<LoopConnection> {
    return this.opened.values();
  }

  /**
   * Closes the account's connections on this server, or only the named one. Connections that are still opening are
   * included. For the whole cluster, use `EventBus.disconnect`.
   *
   * @param connectionId Default: all connections of the account.
   * @param code Default 4503: the client does not reconnect. A code that may not be sent is replaced by 1011.
   * @param reason Default none. Truncated to 123 bytes.
   * @returns How many were closed.
   * @throws LoopPushError if an id is not a non-empty string.
   */
  disconnect(
    accountId: string,
    connectionId?: string,
    code: number = CloseCode.Forbidden,
    reason = '',
  ): number {
    requireIds(connectionId === undefined ? { accountId } : { accountId, connectionId });
    const named = this.here(accountId).filter(
      (connection) => connectionId === undefined || connection.connectionId === connectionId,
    );
    for (const connection of named) connection.close(code, reason);
    return named.length;
  }

  onApplicationShutdown(): void {
    this.events.complete();
  }

  /** The connection, open or opening, that has this registration in presence. @internal */
  registered(accountId: string, registration: string): LoopConnection | undefined {
    return this.here(accountId).find((one) => one.registration.registration === registration);
  }

  /** Registers the connection before it is a receiver, so that it can be disconnected. @internal */
  addOpening(connection: LoopConnection): void {
    this.opening.set(connection.accountId, connection);
  }

  /** Makes the connection a receiver. It replaces an older connection with the same identity. @internal */
  add(connection: LoopConnection): void {
    const older = this.get(connection.accountId, connection.connectionId);
    this.forgetOpening(connection);
    this.accounts.set(connection.accountId, connection);
    this.opened.add(connection);
    older?.close(REPLACED.code, REPLACED.reason);
    this.announce({ type: 'opened', connection });
  }

  /**
   * Forgets the connection. What it held stays readable on it, for `@OnLoopDisconnect` hooks that report its rooms.
   *
   * @internal
   */
  remove(connection: LoopConnection, close: ConnectionClose): void {
    const { accountId, connectionId, group } = connection;
    this.forgetOpening(connection);
    if (group !== undefined) this.subscriptions.leave(connection, group);
    this.interest.release(this.topicsOf(connection.patterns));
    for (const room of connection.roomNames) this.dropRoom(connection, room);
    if (this.get(accountId, connectionId) === connection) {
      this.accounts.delete(accountId, connectionId);
    }
    if (this.opened.delete(connection)) this.announce({ type: 'closed', connection, close });
  }

  /** Open connections in the room. @internal */
  membersOf(room: string): ReadonlySet<LoopConnection> {
    return this.roomMembers.get(room);
  }

  /** Connections with a subscription that matches the event, each once. @internal */
  subscribersOf(name: string): Iterable<LoopConnection> {
    return this.subscriptions.subscribersOf(name);
  }

  /**
   * Resolves when every later push that matches will arrive, also for patterns that another call is still attaching. If
   * the transport fails, nothing of this call is kept.
   *
   * @internal
   */
  async subscribe(connection: LoopConnection, texts: readonly string[]): Promise<void> {
    const patterns = [...new Set(texts)];
    for (const text of patterns) requirePattern(text, this.settings.services);
    if (connection.state === 'closed') return;
    const fresh = patterns.filter((text) => !connection.patterns.has(text));
    const held = patterns.filter((text) => connection.patterns.has(text));
    this.requireRoomForSubscriptions(connection, fresh.length);
    if (fresh.length > 0) {
      connection.group = this.subscriptions.add(connection, connection.group, fresh);
    }
    const added = { patterns: new Set(fresh), rooms: new Set<string>() };
    await this.attach(connection, added, this.topicsOf(fresh), this.topicsOf(held));
  }

  /** @internal */
  unsubscribe(connection: LoopConnection, patterns: readonly string[]): void {
    const { group, state } = connection;
    if (group === undefined || state === 'closed') return;
    for (const added of this.attaching.get(connection) ?? []) {
      for (const text of patterns) added.patterns.delete(text);
    }
    const held = [...new Set(patterns)].filter((text) => group.patterns.has(text));
    if (held.length === 0) return;
    connection.group = this.subscriptions.remove(connection, group, held);
    this.interest.release(this.topicsOf(held));
  }

  /** @internal */
  async join(connection: LoopConnection, room: string): Promise<void> {
    if (typeof room !== 'string' || room === '') {
      throw new LoopWsError('A room name must be a non-empty string.');
    }
    requireRoomName(room, this.settings.config.maxIdLength, LoopWsError);
    if (connection.state === 'closed') return;
    const isMember = connection.roomNames.has(room);
    if (!isMember) this.requireRoomToJoin(connection);
    connection.enter(room);
    this.roomMembers.add(room, connection);
    const topic: Topic = { kind: 'room', name: room };
    const added = { patterns: new Set<string>(), rooms: new Set(isMember ? [] : [room]) };
    await this.attach(connection, added, isMember ? [] : [topic], isMember ? [topic] : []);
  }

  /** @internal */
  leave(connection: LoopConnection, room: string): void {
    if (connection.state === 'closed') return;
    for (const added of this.attaching.get(connection) ?? []) added.rooms.delete(room);
    if (connection.exit(room)) this.dropRoom(connection, room);
  }

  /** The account's connections, those that are opening included. */
  private here(accountId: string): LoopConnection[] {
    return [...this.opening.of(accountId), ...this.ofAccount(accountId)];
  }

  private forgetOpening({ accountId, registration }: LoopConnection): void {
    this.opening.delete(accountId, registration.registration);
  }

  /**
   * Deferred, because a slow reader may be closed in the middle of a push, and pushes by observers must come after it.
   */
  private announce(event: ConnectionEvent): void {
    queueMicrotask(() => this.events.next(event));
  }

  /**
   * Topics that are already held are only waited for: their holder has retained them. On failure, what this call has
   * added is removed, except what another call has added again since.
   */
  private async attach(
    connection: LoopConnection,
    added: Attaching,
    fresh: readonly Topic[],
    held: readonly Topic[],
  ): Promise<void> {
    const attached = this.interest.retain([...fresh, ...held]);
    this.interest.release(held);
    const all = this.attaching.get(connection) ?? new Set();
    this.attaching.set(connection, all.add(added));
    try {
      await attached;
    } catch (error) {
      this.unsubscribe(connection, [...added.patterns]);
      for (const room of added.rooms) this.leave(connection, room);
      throw error;
    } finally {
      all.delete(added);
      if (all.size === 0) this.attaching.delete(connection);
    }
  }

  /** Lists a topic once for each pattern that is interested in it. */
  private topicsOf(patterns: Iterable<string>): Topic[] {
    const { services } = this.settings;
    return [...patterns].flatMap((text) =>
      topicsOfPattern(requirePattern(text, services), services),
    );
  }

  private dropRoom(connection: LoopConnection, room: string): void {
    this.roomMembers.delete(room, connection);
    this.interest.release([{ kind: 'room', name: room }]);
  }

  private requireRoomToJoin({ roomNames }: LoopConnection): void {
    const { maxRooms } = this.settings.config;
    if (roomNames.size < maxRooms) return;
    throw new LoopWsError(
      `The connection is already in ${maxRooms} rooms; leave some or raise config.maxRooms.`,
    );
  }

  private requireRoomForSubscriptions(connection: LoopConnection, wanted: number): void {
    const { maxSubscriptions } = this.settings.config;
    if (connection.patterns.size + wanted > maxSubscriptions) {
      throw new LoopWsError(
        `The connection would hold more than ${maxSubscriptions} patterns; drop some or raise config.maxSubscriptions.`,
      );
    }
  }
}
