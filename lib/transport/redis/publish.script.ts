import { SUBSCRIBERS } from './roll-call.js';

/**
 * Publishes envelopes, and counts the processes that hear everything at that moment.
 *
 * ARGV NUMSUB or SHARDNUMSUB, PUBLISH or SPUBLISH, the channel to which each process subscribes last, then for each
 * envelope its channel and its bytes. Returns the number of subscribers of the first channel, then for each envelope
 * the number of its receivers.
 *
 * Takes no KEYS, because a channel is not a key: a cluster refuses keys that do not exist while their slot moves, and
 * all keys while one of its servers is down, but still publishes.
 */
export const PUBLISH_ALL = `${SUBSCRIBERS}
local call, argv = redis.call, ARGV
local replies, publish = { subscribers(argv[1], argv[3]) }, argv[2]
for i = 4, #argv, 2 do replies[i / 2] = call(publish, argv[i], argv[i + 1]) end
return replies
`;
