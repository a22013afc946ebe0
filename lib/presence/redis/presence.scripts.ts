import { REDIS_NOW } from '../../redis/membership.scripts.js';
import { RedisScript } from '../../redis/redis-script.js';
import { IDENTITIES } from './identities.script.js';

/*
 * The name of every entry contains the member that wrote it and its registration. No other live member touches the
 * entry, so no order of writes from different servers can lose a live connection.
 */

/**
 * KEYS account, index, own, online, grace, connections, members, taken. ARGV member, registration, value, accountId,
 * connectionId, 'new' or 'again'. Returns 'lost' when Redis does not know the member, otherwise { whether the account
 * came online with this registration, entries of the same connection… }. The former is kept in the entry, so that it
 * can be read again if the reply was lost. While an offline edge is being reported, the member that reports it also
 * reports the next online edge, see TAKE_OFFLINE.
 */
export const REGISTER = new RedisScript(`${IDENTITIES}
if redis.call('SISMEMBER', KEYS[7], ARGV[1]) == 0 then return 'lost' end
local name = ARGV[1] .. ':' .. ARGV[2]
local size = redis.call('HLEN', KEYS[1])
local indexed = isIndexed(KEYS[1], KEYS[2], size)
local reply = { 0 }
if ARGV[6] == 'new' and size > 0 then
  local entries = indexed and entriesIn(KEYS[2], KEYS[1], ARGV[5]) or entriesOf(KEYS[1], ARGV[5])
  for _, entry in ipairs(entries) do
    if entry[1] ~= name then
      reply[#reply + 1] = entry[1]
      reply[#reply + 1] = entry[2]
    end
  end
end
redis.call('SADD', KEYS[3], ARGV[2] .. ' ' .. ARGV[4])
redis.call('HSET', KEYS[6], ARGV[1], redis.call('SCARD', KEYS[3]))
redis.call('ZADD', KEYS[4], 0, ARGV[4])
local value = size > 0 and redis.call('HGET', KEYS[1], name)
if not value then
  value = ARGV[3]
  if size == 0 and redis.call('ZREM', KEYS[5], ARGV[4]) == 0
    and not redis.call('HGET', KEYS[8], ARGV[4]) then
    value = string.sub(value, 1, -2) .. ',1]'
  end
  redis.call('HSET', KEYS[1], name, value)
  if indexed then addName(KEYS[2], ARGV[5], name) end
end
if string.sub(value, -3) == ',1]' then reply[1] = 1 end
return reply
`);

/**
 * KEYS as above. ARGV member, registration, accountId, grace or '' when the offline edge must not be reported. Returns
 * 'lost', 'left' when it was the account's last registration and the grace begins, or ''.
 */
export const UNREGISTER = new RedisScript(`${REDIS_NOW}${IDENTITIES}
if redis.call('SISMEMBER', KEYS[7], ARGV[1]) == 0 then return 'lost' end
local known = redis.call('SREM', KEYS[3], ARGV[2] .. ' ' .. ARGV[3])
redis.call('HSET', KEYS[6], ARGV[1], redis.call('SCARD', KEYS[3]))
local removed, isEmpty = removeEntry(KEYS[1], KEYS[2], ARGV[1] .. ':' .. ARGV[2])
if removed + known == 0 or not isEmpty then return '' end
redis.call('ZREM', KEYS[4], ARGV[3])
if ARGV[4] == '' then return '' end
redis.call('ZADD', KEYS[5], now + ARGV[4], ARGV[3])
return 'left'
`);

/**
 * KEYS members, own, connections. ARGV member. Ends the member in this partition: nothing that it still sends is
 * accepted. Returns how many members are left, and the registrations that are left of this one.
 */
export const EXPEL = new RedisScript(`
redis.call('SREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
return { redis.call('SCARD', KEYS[1]), redis.call('SMEMBERS', KEYS[2]) }
`);

/**
 * KEYS own of the dead member, online, grace, then account and index of each registration. ARGV dead member, remaining
 * grace in milliseconds, then registration and accountId of each.
 */
export const SWEEP = new RedisScript(`${REDIS_NOW}${IDENTITIES}
for i = 4, #KEYS, 2 do
  local registration, account = ARGV[i - 1], ARGV[i]
  redis.call('SREM', KEYS[1], registration .. ' ' .. account)
  local removed, isEmpty = removeEntry(KEYS[i], KEYS[i + 1], ARGV[1] .. ':' .. registration)
  if removed == 1 and isEmpty then
    redis.call('ZREM', KEYS[2], account)
    redis.call('ZADD', KEYS[3], now + ARGV[2], account)
  end
end
`);

/**
 * KEYS grace, taken, members, account of each reported one… ARGV member, '' or '+inf' to take accounts as well whose
 * grace is still running, accounts that the member has reported… Returns { accounts to report as offline, reported
 * accounts that came back meanwhile, 0 when Redis does not know the member in this partition (not checked with '+inf')
 * or 1 }. One member takes an account until it has reported it. The account is given to that member again if the reply
 * was lost, and to another one if the member is gone.
 */
export const TAKE_OFFLINE = new RedisScript(`${REDIS_NOW}
local back = {}
for i = 3, #ARGV do
  if redis.call('HDEL', KEYS[2], ARGV[i]) == 1
    and (redis.call('EXISTS', KEYS[i + 1]) == 1 or redis.call('ZSCORE', KEYS[1], ARGV[i])) then
    back[#back + 1] = ARGV[i]
  end
end
if ARGV[2] == '' and redis.call('SISMEMBER', KEYS[3], ARGV[1]) == 0 then return { {}, back, 0 } end
local accounts = {}
local taken = redis.call('HGETALL', KEYS[2])
for i = 1, #taken, 2 do
  if taken[i + 1] == ARGV[1] or redis.call('SISMEMBER', KEYS[3], taken[i + 1]) == 0 then
    redis.call('HSET', KEYS[2], taken[i], ARGV[1])
    accounts[#accounts + 1] = taken[i]
  end
end
local until_ = ARGV[2] == '' and now or ARGV[2]
for _, account in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', until_, 'LIMIT', 0, 500)) do
  if not redis.call('HGET', KEYS[2], account) then
    redis.call('HSET', KEYS[2], account, ARGV[1])
    redis.call('ZREM', KEYS[1], account)
    accounts[#accounts + 1] = account
  end
end
return { accounts, back, 1 }
`);

/** KEYS account, grace, taken. ARGV accountId, milliseconds. Restores the grace of an account that Redis forgot. */
export const KEEP_GRACE = new RedisScript(`${REDIS_NOW}
if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('HGET', KEYS[3], ARGV[1]) then return end
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1]) end
`);
