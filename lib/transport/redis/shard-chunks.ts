import type { RedisKeys } from '../../redis/redis-keys.js';
import { chunksOf, groupsOf } from '../../util/chunks.js';
import type { Topic } from '../topic.js';

/** Topics per command. Bounds how long one command keeps Redis busy. */
const CHUNK = 500;

/** Splits the list into what one command may handle: at most `CHUNK` topics, all of one shard. */
export function shardChunksOf<T>(
  keys: RedisKeys,
  list: readonly T[],
  topicOf: (one: T) => Topic,
): (readonly T[])[] {
  const groups = [...groupsOf(list, (one) => keys.shardOf(topicOf(one))).values()];
  return groups.flatMap((group) => [...chunksOf(group, CHUNK)]);
}
