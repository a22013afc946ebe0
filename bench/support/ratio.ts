import { median, rangeOf } from './statistics.js';

/** What one contender costs, divided by what another one does. */
export interface Ratio {
  /** Of the medians. */
  readonly figure: number;
  /** Least and most of the rounds: what was measured side by side in each of them. */
  readonly spread: readonly [least: number, most: number];
}

/** One figure per round of each. */
export function ratioOf(own: readonly number[], other: readonly number[]): Ratio {
  return {
    figure: median(own) / median(other),
    spread: rangeOf(own.map((figure, round) => figure / other[round]!)),
  };
}
