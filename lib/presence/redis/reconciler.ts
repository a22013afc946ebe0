import { LoopTransportError } from '../../loop-ws.errors.js';
import type { RedisBackbone } from '../../redis/redis-backbone.js';
import { chunksOf } from '../../util/chunks.js';
import { inParallel } from '../../util/in-parallel.js';
import type { PresenceRegistration, PresenceServer } from '../presence-store.js';
import type { OfflineEdges } from './offline-edges.js';
import type { OwnRegistrations } from './own-registrations.js';
import { LOST, type Registrations } from './registrations.js';

/** Together at most 800 commands at once, which leaves Redis room for pushes. */
const PARTITIONS_AT_ONCE = 8;
const WRITTEN_AT_ONCE = 100;

/** Makes Redis agree with what this process knows of its own registrations. */
export class Reconciler {
  private readonly busy = new Set<string>();
  /** Partitions that have not been compared since the last outage. */
  private readonly pendingPartitions = new Set<number>();
  private checked = 0;

  constructor(
    private readonly backbone: RedisBackbone,
    private readonly own: OwnRegistrations,
    private readonly registrations: Registrations,
    private readonly server: PresenceServer,
    private readonly edges: OfflineEdges | undefined,
  ) {}

  /** Writes everything under a new id, even what is leaving: otherwise Redis could not tell whether it was the last. */
  async restore(): Promise<void> {
    await this.inPartitions((at) => this.write(this.own.settled(at)));
  }

  /** After an outage, compares what this process has with what Redis has of it, and corrects Redis. */
  async compareAll(): Promise<void> {
    for (const at of this.backbone.keys.partitions.keys()) this.pendingPartitions.add(at);
    await this.compareAgain();
  }

  /** Compares the partitions for which this was not possible so far. */
  async compareAgain(): Promise<void> {
    if (!this.backbone.membership.isRestored) return;
    const possible = [...this.pendingPartitions].filter((at) => this.reaches(at));
    for (const at of possible) this.pendingPartitions.delete(at); // another outage meanwhile adds them again
    await inParallel(PARTITIONS_AT_ONCE, possible, async (at) => {
      try {
        await this.compare(at);
      } catch (error) {
        this.pendingPartitions.add(at);
        throw error;
      }
    });
  }

  /** Writes the next partition again, because single keys may have been evicted. */
  async checkNext(): Promise<void> {
    const { keys, membership } = this.backbone;
    this.checked = (this.checked + 1) % keys.partitions.length;
    if (!this.reaches(this.checked) || !membership.isRestored) return;
    await this.check(this.checked);
  }

  /** Retries connections that could not be unregistered. */
  async leaveAgain(): Promise<void> {
    await inParallel(WRITTEN_AT_ONCE, this.own.leaving, (one) => this.leave(one));
  }

  /**
   * Unregisters a connection, or leaves it for later: it stays in {@link own} until Redis has confirmed its removal.
   */
  async leave(one: PresenceRegistration): Promise<void> {
    const { link, keys, membership, logger } = this.backbone;
    const isPossible = link.reaches(keys.partitionOf(one.accountId).online);
    if (!isPossible || !membership.isRestored || this.busy.has(one.registration)) return;
    this.busy.add(one.registration);
    try {
      await this.remove(one);
    } catch (error) {
      logger.warn('unregister', 'Unregistering a connection failed and will be retried', error);
    } finally {
      this.busy.delete(one.registration);
    }
  }

  private async remove(one: PresenceRegistration): Promise<void> {
    const { memberId } = this.backbone.membership;
    if (this.own.isUnreported(one)) this.tell(one, await this.registrations.cameOnline(one));
    const outcome = await this.registrations.unregister(one, this.server.graceMs);
    if (outcome === LOST) return this.backbone.membership.renew(memberId);
    this.own.remove(one);
    if (outcome === 'left') this.edges?.expect(one.accountId);
  }

  private reaches(at: number): boolean {
    const { link, keys } = this.backbone;
    return link.reaches(keys.partitions[at]!.online);
  }

  private inPartitions(work: (at: number) => Promise<void>): Promise<void> {
    return inParallel(PARTITIONS_AT_ONCE, this.backbone.keys.partitions.keys(), work);
  }

  private async check(at: number): Promise<void> {
    await this.write(this.own.present(at));
    await this.compare(at);
  }

  /**
   * A registration is in {@link own} before it is in Redis, and until Redis has confirmed its removal. So one that
   * Redis named and that is not there now was not there when Redis was asked either, or has left meanwhile. A
   * registration whose online edge may be unreported is written even if Redis has it, because the reply tells the edge.
   */
  private async compare(at: number): Promise<void> {
    const known = await this.registrations.ownIn(this.backbone.keys.partitions[at]!);
    const inRedis = new Set(known.map(({ registration }) => registration));
    const isMissing = (one: PresenceRegistration): boolean =>
      !inRedis.has(one.registration) || this.own.isUnreported(one);
    await this.write(this.own.present(at).filter(isMissing));
    const strange = known.filter(({ registration }) => !this.own.holds(at, registration));
    for (const one of strange) await this.removeUnknown(one);
  }

  /** A failover lost the removal. If the account was reported offline since then, it must not be reported again. */
  private async removeUnknown(
    one: Pick<PresenceRegistration, 'accountId' | 'registration'>,
  ): Promise<void> {
    const isKnown = this.edges?.hasReported(one.accountId) === true;
    const graceMs = isKnown ? undefined : this.server.graceMs;
    const outcome = await this.registrations.unregister(one, graceMs);
    if (outcome === 'left') this.edges?.expect(one.accountId);
  }

  private async write(all: readonly PresenceRegistration[]): Promise<void> {
    for (const chunk of chunksOf(all, WRITTEN_AT_ONCE)) {
      const there = chunk.filter((one) => this.own.has(one));
      await Promise.all(there.map((one) => this.writeOne(one)));
    }
  }

  private async writeOne(one: PresenceRegistration): Promise<void> {
    const { membership } = this.backbone;
    const { memberId } = membership;
    const cameOnline = await this.registrations.registerAgain(one);
    if (cameOnline !== LOST) return this.tell(one, cameOnline);
    membership.renew(memberId);
    throw new LoopTransportError('unavailable', 'Redis no longer knows this server.');
  }

  private tell(one: PresenceRegistration, cameOnline: boolean): void {
    if (!this.own.tell(one) || !cameOnline) return;
    this.edges?.cameOnline(one.accountId);
    this.server.edges?.online(one.accountId);
  }
}
