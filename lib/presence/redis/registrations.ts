import type { RedisBackbone } from '../../redis/redis-backbone.js';
import type { PartitionKeys } from '../../redis/redis-keys.js';
import { chunksOf } from '../../util/chunks.js';
import { inParallel } from '../../util/in-parallel.js';
import type {
  PresenceRegistered,
  PresenceRegistration,
  PresentConnection,
} from '../presence-store.js';
import { EXPEL, REGISTER, SWEEP, UNREGISTER } from './presence.scripts.js';

const CHUNK = 200;

/** How many partitions of one dead member are swept at once. */
const SWEPT_AT_ONCE = 16;

/** Redis no longer knows this process, so nothing that it reports about this process's accounts can be trusted. */
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

  /** Writes the registration whether or not Redis has it. Resolves with whether the account came online with it. */
  async registerAgain(one: PresenceRegistration): Promise<boolean | typeof LOST> {
    const reply = await this.runRegister(one, 'again');
    return reply === LOST ? LOST : Number(reply[0]) === 1;
  }

  /** Whether the registration is in Redis and the account came online with it. */
  async cameOnline({ accountId, registration }: PresenceRegistration): Promise<boolean> {
    const { link, keys, membership } = this.backbone;
    const account = keys.partitionOf(accountId).account(accountId);
    const field = `${membership.memberId}:${registration}`;
    const value = await link.send<string | null>(account, 'HGET', [account, field]);
    return value !== null && (JSON.parse(value) as unknown[]).length > 2;
  }

  /** Without `graceMs`, the account goes offline without a grace, and its offline edge is not reported. */
  async unregister(
    one: Pick<PresenceRegistration, 'accountId' | 'registration'>,
    graceMs?: number,
  ): Promise<typeof LOST | 'left' | ''> {
    const { link, membership } = this.backbone;
    const args = [membership.memberId, one.registration, one.accountId, graceMs ?? ''];
    return link.run(UNREGISTER, this.keysOf(one.accountId), args);
  }

  async connectionsOf(accountId: string): Promise<PresentConnection[]> {
    const { link, keys } = this.backbone;
    const account = keys.partitionOf(accountId).account(accountId);
    const flat = flatOf(await link.call<HashReply>('HGETALL', account));
    return registrationsIn(accountId, flat).map(({ connectionId, serverId }) => ({
      accountId,
      connectionId,
      serverId,
    }));
  }

  async count(): Promise<{ accounts: number; connections: number }> {
    const { link, keys } = this.backbone;
    const counts = keys.partitions.map(({ online, connections }) =>
      Promise.all([
        link.call<number>('ZCARD', online),
        link.call<HashReply>('HGETALL', connections),
      ]),
    );
    const all = await Promise.all(counts);
    const ofMembers = all.flatMap(([, reply]) => flatOf(reply).filter((_, at) => at % 2 === 1));
    return {
      accounts: all.reduce((sum, [accounts]) => sum + accounts, 0),
      connections: ofMembers.reduce((sum, connections) => sum + Number(connections), 0),
    };
  }

  /** Makes this process known in every partition as a member that registers connections and reports edges. */
  async announce(): Promise<void> {
    const { link, keys, membership } = this.backbone;
    const { memberId } = membership;
    const written = keys.partitions.map(({ members }) =>
      link.send(members, 'SADD', [members, memberId]),
    );
    await Promise.all(written);
  }

  /** What this process has registered in the partition, according to Redis. */
  async ownIn(partition: PartitionKeys): Promise<{ registration: string; accountId: string }[]> {
    const { link, membership } = this.backbone;
    const own = partition.ofMember(membership.memberId);
    const entries = await link.send<Iterable<string>>(own, 'SMEMBERS', [own]);
    return [...entries].map(parseOwn);
  }

  /**
   * Ends a member: nothing that it still sends is accepted, and everything that it registered is removed. Resolves with
   * the partitions that have no members left.
   */
  async sweep(memberId: string, graceMs: number): Promise<PartitionKeys[]> {
    const deserted: PartitionKeys[] = [];
    await inParallel(SWEPT_AT_ONCE, this.backbone.keys.partitions, async (partition) => {
      const left = await this.sweepPartition(partition, memberId, graceMs);
      if (left === 0) deserted.push(partition);
    });
    return deserted;
  }

  /** Resolves with how many members the partition still has. */
  private async sweepPartition(
    partition: PartitionKeys,
    memberId: string,
    graceMs: number,
  ): Promise<number> {
    const { link } = this.backbone;
    const { members, online, grace, connections } = partition;
    const own = partition.ofMember(memberId);
    const ended = await link.run<[number, string[]]>(
      EXPEL,
      [members, own, connections],
      [memberId],
    );
    const [left, entries] = ended;
    for (const chunk of chunksOf(entries.map(parseOwn), CHUNK)) {
      const accounts = chunk.flatMap(({ accountId }) => [
        partition.account(accountId),
        partition.identities(accountId),
      ]);
      const names = chunk.flatMap(({ registration, accountId }) => [registration, accountId]);
      const keys = [own, online, grace, ...accounts];
      await link.run(SWEEP, keys, [memberId, graceMs, ...names]);
    }
    return left;
  }

  private runRegister(
    { accountId, connectionId, serverId, registration }: PresenceRegistration,
    mode: 'new' | 'again',
  ): Promise<typeof LOST | string[]> {
    const { link, membership } = this.backbone;
    const value = JSON.stringify([connectionId, serverId]);
    const args = [membership.memberId, registration, value, accountId, connectionId, mode];
    return link.run(REGISTER, this.keysOf(accountId), args);
  }

  private keysOf(accountId: string): string[] {
    const { keys, membership } = this.backbone;
    const partition = keys.partitionOf(accountId);
    const { online, grace, connections, members, taken } = partition;
    const own = partition.ofMember(membership.memberId);
    const [account, index] = [partition.account(accountId), partition.identities(accountId)];
    return [account, index, own, online, grace, connections, members, taken];
  }
}

/** The reply in RESP2 and in RESP3. */
type HashReply = string[] | Record<string, string>;

function flatOf(reply: HashReply): string[] {
  return Array.isArray(reply) ? reply : Object.entries(reply).flat();
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
