import type { RedisServer } from '../support/redis-server.js';

/** Entries of all histories: each begins with the number and the id of its position. */
const READ_ALL = `
local places = {}
for _, key in ipairs(redis.call('KEYS', '*:h:*')) do
  for _, entry in ipairs(redis.call('LRANGE', key, 0, -1)) do
    places[#places + 1] = string.match(entry, '^%d+|[^|]+')
  end
end
return places
`;

/** The position of each push that a Redis keeps. */
export async function placesIn(redis: RedisServer): Promise<Set<string>> {
  const places = await redis.command<string[]>('EVAL_RO', READ_ALL, 0);
  return new Set(
    places.map((place) => {
      const [n, id] = place.split('|');
      return `${Number(n).toString(36)}.${id}`;
    }),
  );
}
