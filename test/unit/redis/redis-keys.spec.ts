import { RedisKeys } from '../../../lib/redis/redis-keys.js';

const keys = new RedisKeys('lw', 64, false);
const LONG = 'x'.repeat(200);

describe('the name of a channel', () => {
  it('is of bounded length, however long the name that a user chose', () => {
    expect(keys.channelOf({ kind: 'room', name: LONG }).length).toBeLessThan(70);
  });

  it('is that of no other name, though somebody calls a room like the digest of a long one', () => {
    const ofLong = keys.channelOf({ kind: 'room', name: LONG });
    const digest = ofLong.slice(ofLong.indexOf(':r:') + 3);
    const ofDigest = keys.channelOf({ kind: 'room', name: digest });
    expect(ofDigest.split(':r:')[1]).not.toBe(digest);
    expect(ofDigest.split(':r:')[1]).not.toBe(ofLong.split(':r:')[1]);
  });
});
