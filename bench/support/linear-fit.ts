/** A line through measured points. */
export interface Line {
  /** Where x is 0. */
  readonly base: number;
  /** For each x. */
  readonly slope: number;
  /** The largest distance of a point from the line, as a share of the point. */
  readonly error: number;
}

/** Least squares of the relative errors, so that small points count as much as large ones. */
export function lineThrough(points: readonly (readonly [x: number, y: number])[]): Line {
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
  for (const [x, y] of points) {
    const weight = 1 / y ** 2;
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
  }
  const slope = (w * wxy - wx * wy) / (w * wxx - wx ** 2);
  const base = (wy - slope * wx) / w;
  const errorAt = ([x, y]: readonly [number, number]): number => Math.abs(base + slope * x - y) / y;
  return { base, slope, error: Math.max(...points.map(errorAt)) };
}
