import { REDIS_NOW } from '../../redis/membership.scripts.js';
import { RedisScript } from '../../redis/redis-script.js';

/*
 * Every entry carries the member that wrote it and its registration in its name: nobody else can touch it, so no order
 * in which servers write can lose a connection that lives.
 */

/**
 * KEYS account, own, online, grace, connections, members. ARGV member, registration, value, accountId, prefix of values
 * with the same connectionId, 'new' or 'again'. Returns 'lost' when Redis does not know the member, else
 * { whether the account came online, entries of the same connection… }.
 */
export const REGISTER = new RedisScript(`
if redis.call('SISMEMBER', KEYS[6], ARGV[1]) == 0 then
  if ARGV[6] == 'new' then return 'lost' end
  redis.call('SADD', KEYS[6], ARGV[1])
end
local field = ARGV[1] .. ':' .. ARGV[2]
local reply = { 0 }
if ARGV[6] == 'new' then
  local entries = redis.call('HGETALL', KEYS[1])
  for i = 1, #entries, 2 do
    if string.sub(entries[i + 1], 1, #ARGV[5]) == ARGV[5] and entries[i] ~= field then
      reply[#reply + 1] = entries[i]
      reply[#reply + 1] = entries[i + 1]
    end
  end
end
local isFirst = redis.call('EXISTS', KEYS[1]) == 0
if redis.call('HSET', KEYS[1], field, ARGV[3]) == 1 then
  redis.call('INCR', KEYS[5])
  redis.call('SADD', KEYS[2], ARGV[2] .. ' ' .. ARGV[4])
end
if isFirst then
  redis.call('ZADD', KEYS[3], 0, ARGV[4])
  if redis.call('ZREM', KEYS[4], ARGV[4]) == 0 then reply[1] = 1 end
end
return reply
`);

/** KEYS as above. ARGV member, registration, accountId, grace. Returns 'lost', 'left' when it was the last, or ''. */
export const UNREGISTER = new RedisScript(`${REDIS_NOW}
if redis.call('SISMEMBER', KEYS[6], ARGV[1]) == 0 then return 'lost' end
redis.call('SREM', KEYS[2], ARGV[2] .. ' ' .. ARGV[3])
if redis.call('HDEL', KEYS[1], ARGV[1] .. ':' .. ARGV[2]) == 0 then return '' end
redis.call('DECR', KEYS[5])
if redis.call('EXISTS', KEYS[1]) == 1 then return '' end
redis.call('ZREM', KEYS[3], ARGV[3])
redis.call('ZADD', KEYS[4], now + ARGV[4], ARGV[3])
return 'left'
`);

/**
 * KEYS own of the dead, online, grace, connections, account… ARGV dead member, grace that is left, then registration and
 * accountId for each account key.
 */
export const SWEEP = new RedisScript(`${REDIS_NOW}
for i = 5, #KEYS do
  local registration, account = ARGV[2 * i - 7], ARGV[2 * i - 6]
  redis.call('SREM', KEYS[1], registration .. ' ' .. account)
  if redis.call('HDEL', KEYS[i], ARGV[1] .. ':' .. registration) == 1 then
    redis.call('DECR', KEYS[4])
    if redis.call('EXISTS', KEYS[i]) == 0 then
      redis.call('ZREM', KEYS[2], account)
      redis.call('ZADD', KEYS[3], now + ARGV[2], account)
    end
  end
end
`);

/** KEYS grace. ARGV '' or '+inf' to take those as well whose grace still runs. Each account is returned to one caller. */
export const TAKE_OFFLINE = new RedisScript(`${REDIS_NOW}
local until_ = ARGV[1] == '' and now or ARGV[1]
local accounts = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', until_, 'LIMIT', 0, 500)
if #accounts > 0 then redis.call('ZREM', KEYS[1], unpack(accounts)) end
return accounts
`);
