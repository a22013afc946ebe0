import { batchesOf } from '../../../lib/util/chunks.js';

const batchesOfLengths = (...lengths: number[]): number[][] =>
  [
    ...batchesOf(
      lengths.map((length) => ({ length })),
      { count: 3, bytes: 10 },
    ),
  ].map((batch) => batch.map(({ length }) => length));

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
