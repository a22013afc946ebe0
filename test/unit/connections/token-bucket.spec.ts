import { TokenBucket } from '../../../lib/connections/token-bucket.js';

/** A bucket of five, refilled with ten a second, on a clock that the test turns. */
function bucket(): { take: (times: number) => number; pass: (ms: number) => void } {
  let now = 1_000;
  const tokens = new TokenBucket(10, 5, () => now);
  return {
    take: (times) => Array.from({ length: times }, () => tokens.take()).filter(Boolean).length,
    pass: (ms) => {
      now += ms;
    },
  };
}

describe('TokenBucket', () => {
  it('grants its burst at once, and no more', () => {
    expect(bucket().take(20)).toBe(5);
  });

  it('grants its rate after that', () => {
    const { take, pass } = bucket();
    take(5);
    let granted = 0;
    for (let ms = 0; ms < 10_000; ms += 7) {
      pass(7);
      granted += take(3);
    }
    expect(granted).toBeGreaterThanOrEqual(99);
    expect(granted).toBeLessThanOrEqual(101);
  });

  it('saves no more than its burst, however long nobody asks', () => {
    const { take, pass } = bucket();
    pass(3_600_000);
    expect(take(100)).toBe(5);
  });

  it('does not lose fractions when it is asked often, nor grant for being asked', () => {
    const { take, pass } = bucket();
    take(5);
    for (let n = 0; n < 99; n++) {
      pass(1);
      expect(take(1)).toBe(0);
    }
    pass(1.01);
    expect(take(1)).toBe(1);
  });

  it('gives whoever has one token more than there are, which are owed', () => {
    let now = 1_000;
    const tokens = new TokenBucket(10, 5, () => now);
    expect([tokens.take(4), tokens.take(11), tokens.take()]).toEqual([true, true, false]);
    now += 1_000;
    expect(tokens.take()).toBe(false);
    now += 101;
    expect(tokens.take()).toBe(true);
  });

  it('lets what is owed be paid first', () => {
    let now = 1_000;
    const tokens = new TokenBucket(10, 5, () => now);
    tokens.owe(14);
    now += 950;
    expect(tokens.take()).toBe(false);
    now += 51;
    expect(tokens.take()).toBe(true);
  });

  it('stands still when the clock does', () => {
    const { take } = bucket();
    take(5);
    expect(take(1_000)).toBe(0);
  });
});
