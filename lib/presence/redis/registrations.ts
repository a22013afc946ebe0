import type { RedisBackbone } from '../../redis/redis-backbone.js';
import type { PartitionKeys } from '../../redis/redis-keys.js';
import type {
  PresenceRegistered,
  PresenceRegistration,
  PresentConnection,
} from '../presence-store.js';
import { REGISTER, SWEEP, UNREGISTER } from './presence.scripts.js';

const CHUNK = 200;

/** Redis does not know this process any more, so nothing that it says of its accounts can be believed. */
export const LOST = 'lost';

/** Reads and writes registrations in Redis. */
export class Registrations {
  constructor(private readonly backbone: RedisBackbone) {}

  async register(one: PresenceRegistration): Promise<PresenceRegistered | typeof LOST> {
    const reply = await this.runRegister(one, 'new');
    if (reply === LOST) return LOST;
    const [first, ...entries] = reply;
    return { cameOnline: Number(first) === 1, others: registrationsIn(one.accountId, entries) };
  }

  /** Writes it whether Redis knows it or not. Resolves with whether the account had no connection and no grace. */
  async registerAgain(one: PresenceRegistration): Promise<boolean> {
    const reply = await this.runRegister(one, 'again');
    return Number(reply[0]) === 1;
  }

  async unregister(
    one: Pick<PresenceRegistration, 'accountId' | 'registration'>,
    graceMs: number,
  ): Promise<typeof LOST | 'left' | ''> {
    const { link, membership } = this.backbone;
    const args = [membership.memberId, one.registration, one.accountId, graceMs];
    return link.run(UNREGISTER, this.keysOf(one.accountId), args);
  }

  async connectionsOf(accountId: string): Promise<PresentConnection[]> {
    const { link, keys } = this.backbone;
    const entries = await link.call<string[] | Record<string, string>>(
      'HGETALL',
      keys.partitionOf(accountId).account(accountId),
    );
    const flat = Array.isArray(entries) ? entries : Object.entries(entries).flat();
    return registrationsIn(accountId, flat).map(({ connectionId, serverId }) => ({
      accountId,
      connectionId,
      serverId,
    }));
  }

  /** Makes this process known in every partition. */
  async announce(): Promise<void> {
    const { link, keys, membership } = this.backbone;
    const { memberId } = membership;
    await Promise.all(keys.partitions.map(({ members }) => link.call('SADD', members, memberId)));
  }

  async withdraw(): Promise<void> {
    const { link, keys, membership } = this.backbone;
    const { memberId } = membership;
    await Promise.all(keys.partitions.map(({ members }) => link.call('SREM', members, memberId)));
  }

  /** What Redis believes that this process has registered in the partition. */
  async ownIn(partition: PartitionKeys): Promise<{ registration: string; accountId: string }[]> {
    const { link, membership } = this.backbone;
    const own = partition.ofMember(membership.memberId);
    const entries = await link.call<Iterable<string>>('SMEMBERS', own);
    return [...entries].map(parseOwn);
  }

  /** Removes everything that a dead member registered. */
  async sweep(memberId: string, graceLeftMs: number): Promise<void> {
    for (const partition of this.backbone.keys.partitions) {
      await this.sweepPartition(partition, memberId, graceLeftMs);
    }
  }

  private async sweepPartition(
    partition: PartitionKeys,
    memberId: string,
    graceLeftMs: number,
  ): Promise<void> {
    const { link } = this.backbone;
    const own = partition.ofMember(memberId);
    const entries = [...(await link.call<Iterable<string>>('SMEMBERS', own))].map(parseOwn);
    for (let at = 0; at < entries.length; at += CHUNK) {
      const chunk = entries.slice(at, at + CHUNK);
      const accounts = chunk.map(({ accountId }) => partition.account(accountId));
      const names = chunk.flatMap(({ registration, accountId }) => [registration, accountId]);
      const keys = [own, partition.online, partition.grace, partition.connections, ...accounts];
      await link.run(SWEEP, keys, [memberId, graceLeftMs, ...names]);
    }
    await link.call('SREM', partition.members, memberId);
  }

  private runRegister(
    { accountId, connectionId, serverId, registration }: PresenceRegistration,
    mode: 'new' | 'again',
  ): Promise<typeof LOST | string[]> {
    const { link, membership } = this.backbone;
    const value = JSON.stringify([connectionId, serverId]);
    const sameConnection = `[${JSON.stringify(connectionId)},`;
    const args = [membership.memberId, registration, value, accountId, sameConnection, mode];
    return link.run(REGISTER, this.keysOf(accountId), args);
  }

  private keysOf(accountId: string): string[] {
    const { keys, membership } = this.backbone;
    const partition = keys.partitionOf(accountId);
    const { online, grace, connections, members } = partition;
    const own = partition.ofMember(membership.memberId);
    return [partition.account(accountId), own, online, grace, connections, members];
  }
}

function parseOwn(entry: string): { registration: string; accountId: string } {
  const space = entry.indexOf(' ');
  return { registration: entry.slice(0, space), accountId: entry.slice(space + 1) };
}

function registrationsIn(accountId: string, flat: readonly string[]): PresenceRegistration[] {
  return Array.from({ length: flat.length / 2 }, (_, at) => {
    const [connectionId, serverId] = JSON.parse(flat[2 * at + 1]!) as [string, string];
    const field = flat[2 * at]!;
    return { accountId, connectionId, serverId, registration: field.slice(field.indexOf(':') + 1) };
  });
}
