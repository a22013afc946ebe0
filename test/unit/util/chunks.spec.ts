import { batchesOf } from '../../../lib/util/chunks.js';

const batchesOfLengths = (...lengths: number[]): (readonly number[])[] => [
  ...batchesOf(lengths, { count: 3, bytes: 10 }, (length) => length),
];

describe('batches within bounds', () => {
  it.each([
    [[], []],
    [[1], [[1]]],
    [
      [1, 1, 1, 1],
      [[1, 1, 1], [1]],
    ],
    [
      [5, 5, 1],
      [[5, 5], [1]],
    ],
    [
      [4, 7, 3],
      [[4], [7, 3]],
    ],
    [
      [11, 1],
      [[11], [1]],
    ],
    [
      [1, 50, 50],
      [[1], [50], [50]],
    ],
  ])('%j are %j', (lengths, batches) => {
    expect(batchesOfLengths(...lengths)).toEqual(batches);
  });
});
