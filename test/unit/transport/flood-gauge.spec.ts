import { FloodGauge } from '../../../lib/transport/redis/flood-gauge.js';

/** Whether it is a flood after each millisecond in which so many messages came. */
function floodsOf(perMs: readonly number[]): boolean[] {
  const gauge = new FloodGauge();
  gauge.measure(0);
  return perMs.map((count, at) => {
    for (let one = 0; one < count; one++) gauge.note();
    return gauge.measure(at + 1);
  });
}

describe('the gauge that tells a flood', () => {
  it('says so from 16 messages per millisecond on, and no longer when there are fewer', () => {
    expect(floodsOf([15, 16, 200, 15, 0])).toEqual([false, true, true, false, false]);
  });

  it('takes one burst after a quiet time for none', () => {
    const gauge = new FloodGauge();
    for (let one = 0; one < 1_000; one++) gauge.note();
    expect(gauge.measure(0)).toBe(false);
    for (let one = 0; one < 1_000; one++) gauge.note();
    expect(gauge.measure(100)).toBe(false);
  });

  it('keeps what it has found for a millisecond', () => {
    const gauge = new FloodGauge();
    gauge.measure(0);
    for (let one = 0; one < 16; one++) gauge.note();
    expect([gauge.measure(0.5), gauge.measure(1), gauge.measure(1.9)]).toEqual([false, true, true]);
    expect(gauge.measure(2.1)).toBe(false);
  });
});
