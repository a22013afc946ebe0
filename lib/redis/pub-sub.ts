import type { RedisDriver } from './driver.js';

/**
 * The two kinds of Redis Pub/Sub: classic on a single server, and sharded in a cluster, where a classic message would
 * go to every server of the cluster.
 */
export interface PubSub {
  /** When `true`, one command may name only channels of one slot. */
  readonly isSharded: boolean;
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  /** Subcommand of `PUBSUB` that counts the subscribers of channels. */
  readonly count: 'NUMSUB' | 'SHARDNUMSUB';
  readonly message: 'messageBuffer' | 'smessageBuffer';
  subscribe(redis: RedisDriver, channels: readonly string[]): Promise<unknown>;
  unsubscribe(redis: RedisDriver, channels: readonly string[]): Promise<unknown>;
}

export const CLASSIC: PubSub = {
  isSharded: false,
  publish: 'PUBLISH',
  count: 'NUMSUB',
  message: 'messageBuffer',
  subscribe: (redis, channels) => redis.subscribe(...channels),
  unsubscribe: (redis, channels) => redis.unsubscribe(...channels),
};

export const SHARDED: PubSub = {
  isSharded: true,
  publish: 'SPUBLISH',
  count: 'SHARDNUMSUB',
  message: 'smessageBuffer',
  subscribe: (redis, channels) => redis.ssubscribe(...channels),
  unsubscribe: (redis, channels) => redis.sunsubscribe(...channels),
};
