/** The middle of the values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/** Median and least of the rounds. The least is the one that neighbours on the machine disturbed least. */
export function medianAndLeast(values: readonly number[], digits: number): string {
  return `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)})`;
}

export function rangeOf(values: readonly number[]): readonly [least: number, most: number] {
  return [Math.min(...values), Math.max(...values)];
}

/** Median, least and most of the rounds. */
export function medianAndRange(values: readonly number[], digits: number): string {
  const range = rangeOf(values).map((value) => value.toFixed(digits));
  return `${median(values).toFixed(digits)} (${range.join(' to ')})`;
}

/** Median and worst of the rounds, for what must stay below a bound. */
export function medianAndWorst(values: readonly number[], digits: number): string {
  return `${median(values).toFixed(digits)} (${Math.max(...values).toFixed(digits)})`;
}
