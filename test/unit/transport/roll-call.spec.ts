import type { Membership } from '../../../lib/redis/membership.js';
import { RollCall } from '../../../lib/transport/redis/roll-call.js';

interface Moments {
  readonly counted?: number;
  readonly sureThen?: boolean;
  readonly sureNow?: boolean;
}

/** What is missing of three processes that may have become more or fewer when the count is known. */
function missing(
  hearing: number,
  { counted = 3, sureThen = true, sureNow = true }: Moments = {},
): number {
  const membership = { size: 3 };
  let isSure = sureThen;
  const rollCall = new RollCall(membership as Membership, () => isSure);
  const missingOf = rollCall.begin('everyone');
  isSure = sureNow;
  membership.size = counted;
  return missingOf(hearing);
}

describe('P5: the roll call', () => {
  it('misses nobody when all hear', () => expect(missing(3)).toBe(0));
  it('misses who does not hear', () => expect(missing(1)).toBe(2));
  it('misses one who has left before the count is known', () =>
    expect(missing(2, { counted: 2 })).toBe(1));
  it('misses one who has joined meanwhile', () => expect(missing(3, { counted: 4 })).toBe(1));
  it.each([{ sureThen: false }, { sureNow: false }])('is not sure of itself when %j', (doubt) =>
    expect(missing(3, doubt)).toBe(1),
  );
  it('proves nothing when more hear than there are', () => expect(missing(4)).toBe(1));
  it('proves nothing when Redis does not tell', () => expect(missing(-1)).toBeGreaterThan(0));
});
