import { lineThrough } from '../../../bench/support/linear-fit.js';
import { percentilesOf } from '../../../bench/support/percentiles.js';
import { ratioOf } from '../../../bench/support/ratio.js';
import { inTurn } from '../../../bench/support/rounds.js';
import { median } from '../../../bench/support/statistics.js';

describe('the statistics of the benchmarks', () => {
  it('have the middle value as median, and the mean of two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 7])).toBe(6);
  });

  it('compare medians, and tell the least and most of the rounds that were measured side by side', () => {
    expect(ratioOf([1, 2, 3], [2, 4, 2])).toEqual({ figure: 1, spread: [0.5, 1.5] });
  });

  it('take percentiles from values in any order', () => {
    const values = Float64Array.from({ length: 1_000 }, (_, at) => 999 - at);
    expect(percentilesOf(values)).toEqual({ p50: 500, p99: 990, p999: 999 });
  });

  it('find the line through points that lie on one, and how far off it is for those that do not', () => {
    const exact = lineThrough([10, 100, 1_000].map((x) => [x, 5 + 2 * x]));
    expect(exact.base).toBeCloseTo(5);
    expect(exact.slope).toBeCloseTo(2);
    expect(exact.error).toBeCloseTo(0);
    expect(lineThrough([[1, 10], [2, 20], [3, 60]]).error).toBeGreaterThan(0.3); // prettier-ignore
  });

  it('go through all contenders in one order and then in the other', async () => {
    const order: string[] = [];
    const figures = await inTurn(2, ['a', 'b'], async (one) => order.push(one));
    expect(order).toEqual(['a', 'b', 'b', 'a']);
    expect(figures).toEqual(
      new Map([
        ['a', [1, 4]],
        ['b', [2, 3]],
      ]),
    );
  });
});
