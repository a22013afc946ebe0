/** An account with fewer entries has no index: looking through them costs less than keeping one. */
const MANY = 32;

/**
 * Lua: the entries of an account, a hash of values by name, and which of them have the same connectionId. An account
 * with many entries has an index, a hash of their names by connectionId, so that it costs the same to register its
 * thousandth connection as its hundredth. The index is built when it is needed and absent, so it may be evicted. A name
 * in it whose entry is gone counts for nothing.
 */
export const IDENTITIES = `
local function connectionOf(value) return cjson.decode(value)[1] end

local function namesIn(index, connection, except)
  local names = {}
  for name in string.gmatch(redis.call('HGET', index, connection) or '', '%S+') do
    if name ~= except then names[#names + 1] = name end
  end
  return names
end

local function addName(index, connection, name)
  local names = namesIn(index, connection, name)
  names[#names + 1] = name
  redis.call('HSET', index, connection, table.concat(names, ' '))
end

local function removeName(index, connection, name)
  local names = namesIn(index, connection, name)
  if #names == 0 then redis.call('HDEL', index, connection) return end
  redis.call('HSET', index, connection, table.concat(names, ' '))
end

local function isIndexed(account, index, size)
  if size == 0 then redis.call('DEL', index) return false end
  if redis.call('EXISTS', index) == 1 then return true end
  if size < ${MANY} then return false end
  local entries = redis.call('HGETALL', account)
  for i = 1, #entries, 2 do addName(index, connectionOf(entries[i + 1]), entries[i]) end
  return true
end

local function entriesOf(account, connection)
  local found = {}
  local entries = redis.call('HGETALL', account)
  for i = 1, #entries, 2 do
    if connectionOf(entries[i + 1]) == connection then found[#found + 1] = { entries[i], entries[i + 1] } end
  end
  return found
end

local function entriesIn(index, account, connection)
  local found = {}
  for _, name in ipairs(namesIn(index, connection)) do
    local value = redis.call('HGET', account, name)
    if value then found[#found + 1] = { name, value } end
  end
  return found
end

-- Returns how many were removed, and whether the account is empty.
local function removeEntry(account, index, name)
  local indexed = redis.call('EXISTS', index) == 1
  local value = indexed and redis.call('HGET', account, name)
  local removed = redis.call('HDEL', account, name)
  local isEmpty = redis.call('EXISTS', account) == 0
  if isEmpty and indexed then redis.call('DEL', index)
  elseif value then removeName(index, connectionOf(value), name) end
  return removed, isEmpty
end
`;
