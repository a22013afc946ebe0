import { SUBSCRIBERS } from './roll-call.js';

/**
 * Publishes envelopes, and counts who hears everything in that moment.
 *
 * ARGV NUMSUB or SHARDNUMSUB, PUBLISH or SPUBLISH, the channel that each process takes last, then for each envelope its
 * channel and its bytes. Returns the subscribers of the first channel, then for each envelope the number of its receivers.
 *
 * Without KEYS, because a channel is no key: a cluster refuses keys that are nowhere while their slot moves, and all keys
 * while one of its servers is down, and goes on publishing meanwhile.
 */
export const PUBLISH_ALL = `${SUBSCRIBERS}
local call, argv = redis.call, ARGV
local replies, publish = { subscribers(argv[1], argv[3]) }, argv[2]
for i = 4, #argv, 2 do replies[i / 2] = call(publish, argv[i], argv[i + 1]) end
return replies
`;
