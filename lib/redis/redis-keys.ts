import { createHash } from 'node:crypto';
import type { Topic } from '../transport/topic.js';
import { crc16 } from './crc16.js';
import { SLOTS, slotOfTag } from './slots.js';

/** Longer names are replaced by a digest, so that a key costs a bounded number of bytes. */
const MAX_PLAIN_NAME = 64;

const DIGEST = 'h~';

const LETTER: Readonly<Record<Topic['kind'], string>> = { account: 'a', room: 'r', service: 'e' };

/** The keys of one partition of the accounts. They share a hash tag, so one script may use them all. */
export interface PartitionKeys {
  /** Sorted set, every score 0: the accounts that have a connection. */
  readonly online: string;
  /** Sorted set: accounts in their grace, by the Redis time in milliseconds at which it ends. */
  readonly grace: string;
  /** Hash: accounts whose offline edge is being reported, and by which member. */
  readonly taken: string;
  /** Hash: how many connections each member has in the partition. */
  readonly connections: string;
  /** Set: the members that keep registrations in this partition. */
  readonly members: string;
  /** Hash: an account's connections. */
  account(accountId: string): string;
  /** Hash: of an account with many connections, which entries of the account have which connectionId. */
  identities(accountId: string): string;
  /** Set: what one member has registered, and what is therefore swept when it dies. */
  ofMember(memberId: string): string;
}

/** The keys of one topic's history, in the partition of its channel. */
export interface HistoryKeys {
  /** String: the position of the last push. Outlives the entries, so that it stays the same while nothing is pushed. */
  readonly position: string;
  /** List: what was pushed, oldest first. */
  readonly entries: string;
  /** String: the position that was assigned to the push with this idempotency key. */
  placed(id: string): string;
}

/**
 * Builds the names of all keys and channels. The hash tag of the partition comes first, so that no user-chosen name can
 * move a key to another slot.
 */
export class RedisKeys {
  /** Sorted set: the processes of this cluster, by the Redis time in milliseconds of their last beat. */
  readonly servers: string;
  /** Hash: dead members that are being swept, and by whom. */
  readonly sweeps: string;
  /** Sorted set: members that were declared dead, by the Redis time in milliseconds at which they were. */
  readonly swept: string;
  /** String: what all processes of this cluster must agree on. */
  readonly agreement: string;
  /**
   * Channels that a process subscribes to after all others, so that their subscribers are the processes that hear
   * everything: one per partition in a Redis Cluster, otherwise one.
   */
  readonly everyone: readonly string[];
  readonly partitions: readonly PartitionKeys[];
  private readonly tags: readonly string[];

  constructor(
    private readonly namespace: string,
    partitionCount: number,
    private readonly isSharded: boolean,
  ) {
    const shared = `{${namespace}}`;
    this.servers = `${shared}servers`;
    this.sweeps = `${shared}sweeps`;
    this.swept = `${shared}swept`;
    this.agreement = `${shared}agreement`;
    this.tags = evenlySpacedTags(partitionCount);
    const prefixes = this.tags.map((tag) => `{${tag}}${namespace}`);
    this.partitions = prefixes.map(partitionKeys);
    this.everyone = isSharded
      ? prefixes.map((prefix) => `${prefix}:everyone`)
      : [`${shared}everyone`];
  }

  partitionOf(accountId: string): PartitionKeys {
    return this.partitions[this.partitionIndexOf(accountId)]!;
  }

  /** The index in {@link partitions} of an account, a room or a service. */
  partitionIndexOf(name: string): number {
    return crc16(name) % this.tags.length;
  }

  channelOf({ kind, name }: Topic): string {
    return `{${this.tags[this.partitionIndexOf(name)]}}${this.namespace}:${LETTER[kind]}:${short(name)}`;
  }

  historyOf({ kind, name }: Topic): HistoryKeys {
    const prefix = `{${this.tags[this.partitionIndexOf(name)]}}${this.namespace}`;
    const topic = `${LETTER[kind]}:${short(name)}`;
    return {
      position: `${prefix}:p:${topic}`,
      entries: `${prefix}:h:${topic}`,
      placed: (id) => `${prefix}:i:${topic}:${short(id)}`,
    };
  }

  /**
   * A shard is one partition in a Redis Cluster, otherwise everything. Topics of one shard have their channels and
   * histories on one server, so their messages keep their order, and one command may name several of them.
   */
  shardOf({ name }: Topic): number {
    return this.isSharded ? this.partitionIndexOf(name) : 0;
  }

  /** The channel of {@link everyone} whose subscribers hear all messages on the topics of the shard. */
  rollCallChannelOf(shard: number): string {
    return this.everyone[shard]!;
  }

  /** The channel on which one process receives replies. */
  inboxOf(processId: string): string {
    return `{${this.tags[this.partitionIndexOf(processId)]}}${this.namespace}:n:${processId}`;
  }

  /** Channels on which one process hears only itself, one in the slot of each channel of {@link everyone}. */
  probesOf(processId: string): readonly string[] {
    return this.everyone.map((channel) => `${channel}:${processId}`);
  }
}

function partitionKeys(prefix: string): PartitionKeys {
  return {
    online: `${prefix}:o`,
    grace: `${prefix}:g`,
    taken: `${prefix}:t`,
    connections: `${prefix}:n`,
    members: `${prefix}:m`,
    account: (accountId) => `${prefix}:c:${short(accountId)}`,
    identities: (accountId) => `${prefix}:d:${short(accountId)}`,
    ofMember: (memberId) => `${prefix}:s:${memberId}`,
  };
}

function short(name: string): string {
  const looksLikeDigest = name.startsWith(DIGEST);
  if (name.length <= MAX_PLAIN_NAME && !looksLikeDigest) return name;
  return DIGEST + createHash('sha256').update(name).digest('base64url');
}

/**
 * One hash tag per partition, with evenly spread slots, so that every master of a Redis Cluster gets the same share.
 * With plain numbers as tags, the load of some of 16 masters was up to twice the mean.
 */
function evenlySpacedTags(count: number): string[] {
  const tags: string[] = Array.from({ length: count });
  let missing = count;
  for (let candidate = 0; missing > 0; candidate++) {
    const tag = candidate.toString(36);
    const partition = Math.floor((slotOfTag(tag) * count) / SLOTS);
    if (tags[partition] !== undefined) continue;
    tags[partition] = tag;
    missing--;
  }
  return tags;
}
