import type { LoopWsConfigChanges } from '../../lib/loop-ws.config.js';
import { resolveConfig } from '../../lib/loop-ws.config-reader.js';
import type { RedisSource } from '../../lib/redis/redis.options.js';
import { RedisBackbone } from '../../lib/redis/redis-backbone.js';
import { SampledLogger } from '../../lib/util/sampled-logger.js';

/** What a process has of Redis, for tests of one part without an application around it. Lingers do not dawdle. */
export function redisBackbone(
  source: RedisSource,
  changes: LoopWsConfigChanges = {},
): Promise<RedisBackbone> {
  const config = resolveConfig({ topicLingerMs: 0, serverBeatMs: 100, ...changes });
  return RedisBackbone.create(source, 'loopws', config, new SampledLogger(config));
}
