import { setTimeout as delay } from 'node:timers/promises';
import { LoopTransportError } from '../../loop-ws.errors.js';
import type { MembershipListener } from '../../redis/membership.js';
import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { asBootError } from '../../redis/start-driver.js';
import { within } from '../../util/within.js';
import {
  type AccountPage,
  pageLimit,
  type PresenceRegistered,
  type PresenceRegistration,
  type PresenceServer,
  PresenceStore,
  type PresentConnection,
} from '../presence-store.js';
import { accountPage } from './account-pages.js';
import { OfflineEdges } from './offline-edges.js';
import { OwnRegistrations } from './own-registrations.js';
import { Reconciler } from './reconciler.js';
import { LOST, Registrations } from './registrations.js';

/** Beats between two checks whether a partition, the next one each time, is still as this process wrote it. */
const BEATS_PER_CHECK = 10;

/** How many times a registration is attempted while Redis keeps losing this process. */
const ATTEMPTS = 3;

const SETTLED_CHECK_MS = 50;

/** What exists once the store has started. */
interface Started {
  readonly server: PresenceServer;
  /** Absent in a process that reports no edges. */
  readonly edges: OfflineEdges | undefined;
  readonly reconciler: Reconciler;
}

/** Presence of a cluster, kept in Redis. Heartbeats are sent per process, not per connection. */
export class RedisPresenceStore extends PresenceStore {
  private readonly own: OwnRegistrations;
  private readonly registrations: Registrations;
  private started: Started | undefined;
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private settling: Promise<void> | undefined;
  private mustRestoreGrace = false;
  private closed = false;

  constructor(private readonly backbone: RedisBackbone) {
    super();
    const { keys } = backbone;
    this.own = new OwnRegistrations(keys.partitions.length, (account) =>
      keys.partitionIndexOf(account),
    );
    this.registrations = new Registrations(backbone);
    // Must come before the first beat, which may already find a dead process.
    backbone.membership.listen(this.membershipListener());
  }

  override async start(server: PresenceServer): Promise<void> {
    const { backbone, own, registrations } = this;
    const edges = server.edges && new OfflineEdges(backbone, server.graceMs, server.edges);
    const reconciler = new Reconciler(backbone, own, registrations, server, edges);
    this.started = { server, edges, reconciler };
    await backbone.start();
    if (edges !== undefined) await this.announce();
    backbone.link.onUp(() => this.inBackground(reconciler.compareAll()));
    edges?.start();
    const { serverBeatMs } = backbone.config;
    const every = (ms: number, work: () => Promise<void>): ReturnType<typeof setInterval> =>
      setInterval(() => this.inBackground(work()), ms).unref();
    this.timers.push(
      every(serverBeatMs, () => reconciler.leaveAgain()),
      every(serverBeatMs, () => reconciler.compareAgain()),
      every(serverBeatMs * BEATS_PER_CHECK, () => reconciler.checkNext()),
    );
  }

  override async register(registration: PresenceRegistration): Promise<PresenceRegistered> {
    const { link, keys, config } = this.backbone;
    const { online } = keys.partitionOf(registration.accountId);
    await link.untilReached(online, config.attachTimeoutMs);
    this.own.arrive(registration);
    try {
      const registered = await this.registerWhole(registration);
      this.own.settle(registration);
      if (registered.cameOnline) this.started?.edges?.cameOnline(registration.accountId);
      return registered;
    } catch (error) {
      this.own.fail(registration);
      throw error;
    }
  }

  override async unregister(registration: PresenceRegistration): Promise<void> {
    if (!this.own.has(registration)) return;
    this.own.leave(registration);
    await this.started?.reconciler.leave(registration);
  }

  override async isOnline(accountId: string): Promise<boolean> {
    const { link, keys } = this.backbone;
    const key = keys.partitionOf(accountId).account(accountId);
    return (await link.call<number>('EXISTS', key)) === 1;
  }

  override connectionsOf(accountId: string): Promise<readonly PresentConnection[]> {
    return this.registrations.connectionsOf(accountId);
  }

  override async accounts(
    page: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<AccountPage> {
    return accountPage(this.backbone, page.after, pageLimit(page.limit));
  }

  override count(): Promise<{ accounts: number; connections: number }> {
    return this.registrations.count();
  }

  /**
   * Removes what is left of this process; what cannot be removed is swept by the others. The last process that reports
   * edges reports the accounts in their grace at once, because nobody will be there to do it later.
   */
  override async close(): Promise<void> {
    if (this.started === undefined) return;
    const { server, edges } = this.started;
    const { membership } = this.backbone;
    this.closed = true;
    for (const timer of this.timers) clearInterval(timer);
    await edges?.close();
    try {
      const deserted = await this.registrations.sweep(membership.memberId, server.graceMs);
      await membership.leave();
      await edges?.takeEveryone(deserted);
    } catch (error) {
      this.backbone.logger.warn(
        'leave',
        'Presence could not be removed; the other servers will remove it',
        error,
      );
    }
    await this.backbone.close();
  }

  private membershipListener(): MembershipListener {
    const sweeps = (): MembershipListener['sweeps'] => {
      if (this.started === undefined) return 'not yet';
      return this.started.edges === undefined ? 'last' : 'first';
    };
    return {
      get sweeps() {
        return sweeps();
      },
      sweep: (memberId) => this.sweep(memberId),
      lost: (how) => this.lost(how),
      restore: () => this.restore(),
    };
  }

  /**
   * While Redis has forgotten other servers, it cannot tell who was online, so the registration waits until they have
   * written theirs again. It is written after them, so that the reply tells whether it is the account's first.
   */
  private async registerWhole(registration: PresenceRegistration): Promise<PresenceRegistered> {
    const { membership } = this.backbone;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await this.untilSettled();
      const { memberId } = membership;
      const registered = await this.registrations.register(registration);
      if (registered !== LOST) return registered;
      membership.renew(memberId);
      this.settle();
    }
    throw new LoopTransportError(
      'unavailable',
      'Redis repeatedly lost the presence of this server. Check the Redis log and eviction policy.',
    );
  }

  private async untilSettled(): Promise<void> {
    const { connectTimeoutMs } = this.backbone.config;
    await within(this.settling ?? Promise.resolve(), connectTimeoutMs, () => {
      throw new LoopTransportError(
        'timeout',
        `Redis lost its data, and not every server restored it within ${connectTimeoutMs} ms.`,
      );
    });
  }

  private settle(): void {
    this.settling ??= this.settled().finally(() => (this.settling = undefined));
  }

  /** Resolves when every live process has written again what Redis lost. */
  private async settled(): Promise<void> {
    const { membership } = this.backbone;
    do {
      await membership.beatNow().catch(() => {}); // failures are logged by the regular beat
      await delay(SETTLED_CHECK_MS);
    } while (!membership.isComplete && !this.closed);
  }

  private async announce(): Promise<void> {
    try {
      await this.registrations.announce();
    } catch (error) {
      this.closed = true;
      await this.backbone.close();
      throw asBootError(error);
    }
  }

  private async sweep(memberId: string): Promise<void> {
    const { server, edges } = this.started!;
    const graceLeftMs = Math.max(0, server.graceMs - this.backbone.config.serverTimeoutMs);
    await this.registrations.sweep(memberId, graceLeftMs);
    if (graceLeftMs === 0) await edges?.takeAll();
    else edges?.expectSwept(graceLeftMs);
  }

  private lost(how: 'swept' | 'forgotten'): void {
    if (how === 'swept') this.own.markSwept();
    else this.mustRestoreGrace = true;
    this.settle();
  }

  private async restore(): Promise<void> {
    const { edges, reconciler } = this.started ?? {};
    if (this.closed || edges === undefined || reconciler === undefined) return;
    await this.registrations.announce();
    await reconciler.restore();
    if (this.mustRestoreGrace) await edges.restore();
    this.mustRestoreGrace = false;
  }

  private inBackground(work: Promise<void>): void {
    work.catch((error: unknown) =>
      this.backbone.logger.warn('presence', 'Presence in Redis could not be updated', error),
    );
  }
}
