import { RedisScript } from './redis-script.js';

/** Lua: milliseconds by the Redis clock. The clocks of the servers decide nothing. */
export const REDIS_NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * KEYS servers, agreement, sweeps. ARGV member, agreement, timeout, the member's former id or ''. What is left under
 * the former id is marked to be swept, unless it is being swept already. Returns '', or the agreement of the live
 * members if it differs.
 */
export const JOIN = new RedisScript(`${REDIS_NOW}
local agreed = redis.call('GET', KEYS[2])
if agreed and agreed ~= ARGV[2] and redis.call('ZCOUNT', KEYS[1], now - ARGV[3], '+inf') > 0 then
  return agreed
end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[1])
if ARGV[4] ~= '' then
  redis.call('ZREM', KEYS[1], ARGV[4])
  if not redis.call('HGET', KEYS[3], ARGV[4]) then redis.call('HSET', KEYS[3], ARGV[4], ARGV[1]) end
end
return ''
`);

/**
 * KEYS servers, sweeps, swept. ARGV member. Returns its last beat or '', now, all beats, sweeps, whether it was swept.
 */
export const BEAT = new RedisScript(`${REDIS_NOW}
local previous = redis.call('ZSCORE', KEYS[1], ARGV[1])
if previous then redis.call('ZADD', KEYS[1], now, ARGV[1]) end
return {
  previous or '', now, redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), redis.call('HGETALL', KEYS[2]),
  redis.call('ZSCORE', KEYS[3], ARGV[1]) and 1 or 0
}
`);

/**
 * KEYS servers, sweeps, swept. ARGV dead member, sweeping member, timeout. Returns 1 to exactly one caller: the one
 * that has to start the sweep, to continue its own, or to take over from a sweeper that died.
 */
export const CLAIM = new RedisScript(`${REDIS_NOW}
local function isLive(member)
  local beat = redis.call('ZSCORE', KEYS[1], member)
  return beat and math.abs(now - beat) < tonumber(ARGV[3])
end
if isLive(ARGV[1]) then return 0 end
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then
  local sweeper = redis.call('HGET', KEYS[2], ARGV[1])
  if not sweeper or (sweeper ~= ARGV[2] and isLive(sweeper)) then return 0 end
  if sweeper == ARGV[2] then return 1 end
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - 86400000)
return 1
`);
