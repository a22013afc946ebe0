import type { PublishedEvent } from './records.js';

/** Each attempt may have been placed, if the history was lost in between. */
export function mayBePlacedAgain({ attempts = 1 }: PublishedEvent): boolean {
  return attempts > 1;
}

/** A push at one place in the history of its topic. */
export interface Placed {
  readonly event: PublishedEvent;
  readonly position: string;
  /** Number of the position. */
  readonly n: number;
  /** When it was there for certain: somebody was told so, or saw it. */
  by: number;
}

/**
 * All that was placed on a topic. Within one era of it numbers only grow. A failover that lost writes ends an era: numbers of
 * the lost ones are given again.
 */
export class TopicPast {
  private readonly events: Placed[] = [];
  /** When each era but the first had begun for certain. */
  private began: number[] | undefined;

  add(placed: Placed): void {
    this.events.push(placed);
    this.began = undefined;
  }

  get placed(): readonly Placed[] {
    return this.events;
  }

  /** The era at a time; what is placed about the time of a failover may be of the one before. */
  eraAt(time: number): number {
    this.began ??= beginningsOf(this.events);
    return this.began.filter((at) => at <= time).length;
  }

  /** The era of an event; absent when it may be of two. */
  eraOf({ event: { at }, by }: Placed): number | undefined {
    const era = this.eraAt(by);
    return this.eraAt(at) === era ? era : undefined;
  }
}

/**
 * A push that was called when a higher number was known to be given already shows that an era has ended. One that was repeated
 * shows nothing: it may have been placed long after its call.
 */
function beginningsOf(events: readonly Placed[]): number[] {
  const byCall = events
    .filter(({ event }) => !mayBePlacedAgain(event))
    .toSorted((one, other) => one.event.at - other.event.at);
  const byProof = events.toSorted((one, other) => one.by - other.by);
  const beginnings: number[] = [];
  let [proven, highest] = [0, -Infinity];
  for (const { event, n } of byCall) {
    for (; proven < byProof.length && byProof[proven]!.by < event.at; proven++) {
      const isOfThisEra = byProof[proven]!.event.at >= (beginnings.at(-1) ?? -Infinity);
      if (isOfThisEra) highest = Math.max(highest, byProof[proven]!.n);
    }
    if (n > highest) continue;
    beginnings.push(event.at);
    highest = -Infinity;
  }
  return beginnings;
}
