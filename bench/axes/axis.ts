import type { Section } from '../report/figures.js';

/** How much is measured: everything, or what shows in two minutes whether something was lost. */
export interface Scale {
  readonly quick: boolean;
  readonly rounds: number;
}

export interface Axis {
  run(scale: Scale): Promise<Section>;
}
