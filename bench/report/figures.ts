import type { Ratio } from '../support/ratio.js';

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Bars side by side: one group for each condition, in it one bar for each series. */
export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly groups: readonly string[];
  readonly series: readonly Series[];
}

export interface Series {
  readonly name: string;
  /** One for each group; absent where it was not measured. */
  readonly values: readonly (number | undefined)[];
}

/** A figure that is held against a limit. */
export interface Verdict {
  readonly what: string;
  readonly figure: number;
  /** Least and most of the rounds, where there were several. */
  readonly spread?: Ratio['spread'];
  /** At most. */
  readonly limit: number;
  /** The same figure of Node or of the libraries alone, which check nothing and promise nothing, where it was measured. */
  readonly floor?: number;
  readonly unit?: string;
  /** Whether `npm run bench:guard` holds it: a lost optimisation shows in it, and a busy machine does not. */
  readonly isGuarded?: boolean;
}

/** What was found on one axis. */
export interface Section {
  readonly title: string;
  /** What was done, in a few sentences. */
  readonly text: string;
  readonly tables: readonly Table[];
  readonly charts: readonly BarChart[];
  readonly verdicts: readonly Verdict[];
}

export function holds({ figure, limit }: Verdict): boolean {
  return figure <= limit;
}
