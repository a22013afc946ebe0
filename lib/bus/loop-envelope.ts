import type { LoopEventData, LoopNamesMatching } from '../protocol/event-types.js';

interface EnvelopeOf<N extends string> {
  /** Full name, `service:event`. */
  readonly name: N;
  readonly service: string;
  readonly event: string;
  /** The payload as clients see it: after JSON serialization, so a `Date` is a string. */
  readonly data: LoopEventData<N>;
  /** The push's `id`, if it has one. */
  readonly id: string | undefined;
}

/** A channel push, as server code observes it. */
export type LoopEnvelope<P extends string = string> =
  LoopNamesMatching<P> extends infer N ? (N extends string ? EnvelopeOf<N> : never) : never;
