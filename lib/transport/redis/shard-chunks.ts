import type { RedisKeys } from '../../redis/redis-keys.js';
import { chunksOf, groupsOf } from '../../util/chunks.js';
import type { Topic } from '../topic.js';

/** Keys of one command. Bounds how long it keeps Redis busy. */
const CHUNK = 500;

/** What one command may be about: so many topics of one shard. */
export function shardChunksOf<T>(
  keys: RedisKeys,
  list: readonly T[],
  topicOf: (one: T) => Topic,
): (readonly T[])[] {
  const groups = [...groupsOf(list, (one) => keys.shardOf(topicOf(one))).values()];
  return groups.flatMap((group) => [...chunksOf(group, CHUNK)]);
}
