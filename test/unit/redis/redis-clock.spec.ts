import { RedisClock } from '../../../lib/redis/redis-clock.js';

/** What the clock says that Redis is ahead by. */
const aheadBy = (clock: RedisClock): number => Math.round(clock.now() - performance.now());

describe('the clock of Redis', () => {
  it('is known to half of the time that the answer took', () => {
    const clock = new RedisClock();
    clock.note(5_000, 1_000, 1_001);
    expect(aheadBy(clock)).toBe(4_000);
  });

  it('P4: is not known worse by an answer that came late, or that was asked for early', () => {
    const clock = new RedisClock();
    clock.note(5_000, 1_000, 1_002);
    clock.note(5_100, 1_100, 2_100); // this process was busy when it came
    expect(Math.abs(aheadBy(clock) - 4_000)).toBeLessThan(3);
    clock.note(7_200, 2_200, 3_200); // Redis was busy when it was asked
    expect(Math.abs(aheadBy(clock) - 4_000)).toBeLessThan(3);
  });

  it('is known better by an answer that came sooner', () => {
    const clock = new RedisClock();
    clock.note(5_900, 1_000, 1_900);
    clock.note(6_000, 2_000, 2_001);
    expect(aheadBy(clock)).toBe(4_000);
  });

  it('is that of the new one after a failover, and follows one that drifts', () => {
    const clock = new RedisClock();
    clock.note(5_000, 1_000, 1_001);
    clock.note(3_000, 2_000, 2_001);
    expect(aheadBy(clock)).toBe(1_000);
    for (let beat = 1; beat <= 100; beat++) {
      const sentAt = 2_000 + beat * 10_000;
      clock.note(Math.floor(sentAt * 1.0001) + 1_000, sentAt, sentAt + 1);
    }
    expect(Math.abs(aheadBy(clock) - 1_100)).toBeLessThan(5);
  });
});
