export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** Sorts the values. */
export function percentilesOf(values: Float64Array): Percentiles {
  values.sort();
  const at = (share: number): number =>
    values[Math.min(values.length - 1, Math.floor(values.length * share))]!;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}
