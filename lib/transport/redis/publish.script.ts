/**
 * Publishes envelopes, and counts who hears everything in that moment.
 *
 * KEYS the channel that each process takes last. ARGV NUMSUB or SHARDNUMSUB, PUBLISH or SPUBLISH, then for each envelope its
 * channel and its bytes. Returns the subscribers of the first channel, then for each envelope the number of its receivers.
 */
export const PUBLISH_ALL = `
local replies = { redis.call('PUBSUB', ARGV[1], KEYS[1])[2] }
for i = 3, #ARGV, 2 do replies[#replies + 1] = redis.call(ARGV[2], ARGV[i], ARGV[i + 1]) end
return replies
`;
