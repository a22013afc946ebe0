import { setTimeout as delay } from 'node:timers/promises';
import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { asBootError } from '../../redis/start-driver.js';
import {
  type AccountPage,
  type PresenceRegistered,
  type PresenceRegistration,
  type PresenceServer,
  PresenceStore,
  type PresentConnection,
} from '../presence-store.js';
import { accountPage } from './account-pages.js';
import { OfflineEdges } from './offline-edges.js';
import { OwnRegistrations } from './own-registrations.js';
import { LOST, Registrations } from './registrations.js';

const DEFAULT_PAGE = 100;

/** Registrations that are written again at once. */
const CHUNK = 500;

/** Beats between two looks whether one partition is still as this process wrote it. */
const BEATS_PER_CHECK = 10;

/** Presence of a cluster, kept in Redis. One sign of life per process, not per connection. */
export class RedisPresenceStore extends PresenceStore {
  private readonly own: OwnRegistrations;
  private readonly registrations: Registrations;
  private server: PresenceServer | undefined;
  private edges: OfflineEdges | undefined;
  private checking: ReturnType<typeof setInterval> | undefined;
  private checked = 0;
  private closed = false;

  constructor(private readonly backbone: RedisBackbone) {
    super();
    const { keys } = backbone;
    this.own = new OwnRegistrations(keys.partitions.length, (account) => keys.indexOf(account));
    this.registrations = new Registrations(backbone);
  }

  override async start(server: PresenceServer): Promise<void> {
    this.server = server;
    const { membership, link, config } = this.backbone;
    const { edges, graceMs } = server;
    this.edges =
      edges && new OfflineEdges(this.backbone, graceMs, (account) => edges.offline(account));
    membership.listen({
      sweep: (memberId) => this.sweep(memberId),
      restore: (wasSwept) => this.restore(wasSwept),
    });
    await this.backbone.start();
    await this.registrations.announce().catch((error: unknown) => {
      throw asBootError(error);
    });
    link.onUp(() => this.inBackground(this.writeAll(false)));
    this.edges?.start();
    const everyMs = config.serverBeatMs * BEATS_PER_CHECK;
    this.checking = setInterval(() => this.inBackground(this.checkNext()), everyMs).unref();
  }

  override async register(registration: PresenceRegistration): Promise<PresenceRegistered> {
    const { link, keys, config } = this.backbone;
    const { online } = keys.partitionOf(registration.accountId);
    await link.untilReached(online, config.attachTimeoutMs);
    this.own.add(registration);
    const registered = await this.registrations.register(registration);
    if (registered !== LOST) return registered;
    await this.settled();
    return this.registerAfterLoss(registration);
  }

  override async unregister(registration: PresenceRegistration): Promise<void> {
    if (!this.own.has(registration)) return;
    this.own.leaving.set(registration.registration, registration);
    await this.leave(registration);
  }

  override async isOnline(accountId: string): Promise<boolean> {
    const { link, keys } = this.backbone;
    const key = keys.partitionOf(accountId).account(accountId);
    return (await link.call<number>('EXISTS', key)) === 1;
  }

  override connectionsOf(accountId: string): Promise<readonly PresentConnection[]> {
    return this.registrations.connectionsOf(accountId);
  }

  override accounts(
    page: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<AccountPage> {
    return accountPage(this.backbone, page.after, page.limit ?? DEFAULT_PAGE);
  }

  override async count(): Promise<{ accounts: number; connections: number }> {
    const { link, keys } = this.backbone;
    const counts = keys.partitions.map(async ({ online, connections }) =>
      Promise.all([link.call<number>('ZCARD', online), link.call<string>('GET', connections)]),
    );
    const all = await Promise.all(counts);
    return {
      accounts: all.reduce((sum, [accounts]) => sum + accounts, 0),
      connections: all.reduce((sum, [, connections]) => sum + Number(connections ?? 0), 0),
    };
  }

  /** The last process to leave reports the accounts in their grace at once: nobody will be there to do it later. */
  override async close(): Promise<void> {
    if (this.server === undefined) return;
    this.closed = true;
    clearInterval(this.checking);
    this.edges?.close();
    const { link, keys, membership } = this.backbone;
    if (link.reaches(keys.servers)) {
      if (membership.size === 1) await this.edges?.takeAll(true);
      await this.registrations.withdraw().catch(() => {});
    }
    await this.backbone.close();
  }

  /** Without Redis it is left for later: the registration stays in the books until Redis has confirmed. */
  private async leave(registration: PresenceRegistration): Promise<void> {
    try {
      const { graceMs } = this.server!;
      let outcome = await this.registrations.unregister(registration, graceMs);
      if (outcome === LOST) {
        await this.settled();
        outcome = await this.registrations.unregister(registration, graceMs);
      }
      if (outcome === LOST) return;
      this.own.remove(registration);
      if (outcome === 'left') {
        this.edges?.expect(this.backbone.keys.partitionOf(registration.accountId));
      }
    } catch (error) {
      this.backbone.logger.warn('unregister', 'A connection is unregistered later', error);
    }
  }

  /** The restoration has written it already, so Redis cannot tell any more whether it was the first. */
  private async registerAfterLoss(registration: PresenceRegistration): Promise<PresenceRegistered> {
    const known = await this.connectionsOf(registration.accountId);
    const registered = await this.registrations.register(registration);
    const others = registered === LOST ? [] : registered.others;
    return { cameOnline: known.length <= 1, others };
  }

  /** Resolves when every process that lives has written again what Redis lost. */
  private async settled(): Promise<void> {
    const { membership } = this.backbone;
    await membership.beatNow();
    while (!membership.isWhole && !this.closed) {
      await delay(100);
      await membership.beatNow();
    }
  }

  private async sweep(memberId: string): Promise<void> {
    const { serverTimeoutMs } = this.backbone.config;
    const graceLeftMs = Math.max(0, this.server!.graceMs - serverTimeoutMs);
    await this.registrations.sweep(memberId, graceLeftMs);
    if (graceLeftMs === 0) await this.edges?.takeAll();
  }

  private async restore(wasSwept: boolean): Promise<void> {
    await this.registrations.announce();
    await this.writeAll(wasSwept);
  }

  private async writeAll(reportOnline: boolean): Promise<void> {
    for (let at = 0; at < this.backbone.keys.partitions.length && !this.closed; at++) {
      await this.writePartition(at, reportOnline);
    }
    for (const registration of this.own.leaving.values()) await this.leave(registration);
  }

  private async checkNext(): Promise<void> {
    const { link, keys } = this.backbone;
    this.checked = (this.checked + 1) % keys.partitions.length;
    if (!link.reaches(keys.partitions[this.checked]!.online)) return;
    await this.writePartition(this.checked, false);
  }

  /** Makes one partition as this process knows it: writes what may be missing, and removes what is not its own. */
  private async writePartition(at: number, reportOnline: boolean): Promise<void> {
    const all = this.own.of(at);
    for (let from = 0; from < all.length; from += CHUNK) {
      const chunk = all.slice(from, from + CHUNK).filter((one) => this.own.has(one));
      await Promise.all(chunk.map((one) => this.writeAgain(one, reportOnline)));
    }
    const known = await this.registrations.ownIn(this.backbone.keys.partitions[at]!);
    const strange = known.filter(({ registration }) => !this.own.holds(at, registration));
    for (const one of strange) await this.registrations.unregister(one, this.server!.graceMs);
  }

  private async writeAgain(one: PresenceRegistration, reportOnline: boolean): Promise<void> {
    const cameOnline = await this.registrations.registerAgain(one);
    if (cameOnline && reportOnline) this.server?.edges?.online(one.accountId);
  }

  private inBackground(work: Promise<void>): void {
    work.catch((error: unknown) =>
      this.backbone.logger.warn('presence', 'Presence could not be brought up to date', error),
    );
  }
}
