import { REDIS_NOW } from '../../redis/membership.scripts.js';
import { RedisScript } from '../../redis/redis-script.js';
import { POSITION_KEPT_MS } from '../position.js';
import { SUBSCRIBERS } from './roll-call.js';

/** Returned instead of the number of receivers: the push had been placed before, or it arrived after its deadline. */
export const PLACED_BEFORE = -1;
export const TOO_LATE = -2;

/**
 * How many entries over `size` the list may have before it is trimmed. Trimming costs as much as adding, so it is done
 * for many entries at once.
 */
const SLACK = 32;

/**
 * The first position of a topic without a history. Its number is one that no earlier history of the topic can have
 * reached (2^20 for each second since 1970, which is exact until 2242), and its id is new.
 */
const BEGIN = `
local function begin(i, above)
  return string.format('%.0f', math.max(math.floor((time[1] + time[2] / 1000000) * 1048576), above or 0)) .. '|' .. ARGV[1] .. '_' .. i
end
`;

/**
 * Places pushes on topics of one shard, each after the last push of its topic, keeps them, and publishes them.
 *
 * KEYS position, entries, placed for each push. ARGV random id, NUMSUB or SHARDNUMSUB, PUBLISH or SPUBLISH, the channel
 * to which each process subscribes last, then for each push: channel, id of its position, size, ttl, time to keep the
 * list, time to remember the push's own id or 0, deadline, envelope. Times in milliseconds. Returns the number of
 * subscribers of that last channel, then for each push { position `n|id`, number of receivers or one of the two numbers
 * above }.
 *
 * An entry is `n|id|previous id|until|envelope`; what is published is the same without `until`.
 */
export const APPEND = new RedisScript(`${REDIS_NOW}${BEGIN}${SUBSCRIBERS}
local replies = { subscribers(ARGV[2], ARGV[4]) }
for i = 1, #KEYS / 3 do
  local position, entries, placed = unpack(KEYS, 3 * i - 2, 3 * i)
  local channel, id, size, ttl, kept, window, deadline, envelope = unpack(ARGV, 8 * i - 3, 8 * i + 4)
  local known = window ~= '0' and redis.call('GET', placed)
  if known then
    replies[i + 1] = { known, ${PLACED_BEFORE} }
  elseif now > tonumber(deadline) then
    replies[i + 1] = { '', ${TOO_LATE} }
  else
    local last = redis.call('GET', position)
    if not last then
      redis.call('DEL', entries)
      last = begin(i)
    end
    local bar = string.find(last, '|', 1, true)
    local own = string.format('%.0f', string.sub(last, 1, bar - 1) + 1) .. '|' .. id
    local place = own .. '|' .. string.sub(last, bar + 1) .. '|'
    redis.call('SET', position, own, 'PX', math.max(${POSITION_KEPT_MS}, kept))
    local entry = place .. string.format('%.0f', now + ttl) .. '|' .. envelope
    if redis.call('RPUSH', entries, entry) > size + math.min(size, ${SLACK}) then
      redis.call('LTRIM', entries, -size, -1)
    end
    redis.call('PEXPIRE', entries, kept)
    if window ~= '0' then redis.call('SET', placed, own, 'PX', window) end
    replies[i + 1] = { own, redis.call(ARGV[3], channel, place .. envelope) }
  end
end
return replies
`);

/**
 * KEYS position of each topic. ARGV random id. Returns each position as `n|id`; a topic without one is given its first.
 */
export const POSITIONS = new RedisScript(`${REDIS_NOW}${BEGIN}
local replies = {}
for i, key in ipairs(KEYS) do
  local last = redis.call('GET', key)
  if not last then
    last = begin(i)
    redis.call('SET', key, last, 'PX', ${POSITION_KEPT_MS})
  elseif redis.call('PTTL', key) < ${POSITION_KEPT_MS} then
    redis.call('PEXPIRE', key, ${POSITION_KEPT_MS})
  end
  replies[i] = last
end
return replies
`);

/**
 * KEYS position, entries. ARGV number and id of the position after which to read, or '' twice for the last entry only.
 * Returns { position or '', now in milliseconds, entries… }. Returns no entries when some are missing or the position
 * does not match, so a position that a client has made up costs no more than that.
 */
export const READ = new RedisScript(`${REDIS_NOW}
local last = redis.call('GET', KEYS[1])
if not last then return { '', now } end
local missed = 1
if ARGV[1] ~= '' then missed = string.match(last, '^%d+') - ARGV[1] end
local reply = { last, now }
if missed < 1 or missed > redis.call('LLEN', KEYS[2]) then return reply end
if ARGV[1] ~= '' then
  local first = redis.call('LINDEX', KEYS[2], -missed)
  if string.match(first, '^%d+|[^|]*|([^|]*)|') ~= ARGV[2] then return reply end
end
for _, entry in ipairs(redis.call('LRANGE', KEYS[2], -missed, -1)) do reply[#reply + 1] = entry end
return reply
`);

/**
 * KEYS position, entries of each topic. ARGV random id, PUBLISH or SPUBLISH, then for each topic: channel, number and
 * id of a position that it has assigned. If another push has that position, or the topic has not come that far, writes
 * were lost in a failover: the topic is started anew, and an empty message notifies its subscribers. A trimmed entry
 * proves nothing.
 */
export const VOUCH = new RedisScript(`${REDIS_NOW}${BEGIN}
for i = 1, #KEYS / 2 do
  local position, entries = KEYS[2 * i - 1], KEYS[2 * i]
  local channel, n, id = unpack(ARGV, 3 * i, 3 * i + 2)
  local last = redis.call('GET', position)
  if last then
    local top = tonumber(string.match(last, '^%d+'))
    local own = n .. '|' .. id
    local lost = top < tonumber(n) or (top == tonumber(n) and last ~= own)
    if top > tonumber(n) then
      local entry = redis.call('LINDEX', entries, n - top - 1)
      lost = entry and string.sub(entry, 1, #own + 1) ~= own .. '|'
    end
    if lost then
      redis.call('SET', position, begin(i, math.max(top, tonumber(n)) + 1), 'PX', ${POSITION_KEPT_MS})
      redis.call('DEL', entries)
      redis.call(ARGV[2], channel, '')
    end
  end
end
`);
