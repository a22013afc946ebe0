import type { Position } from '../position.js';
import { type Topic, topicKey } from '../topic.js';

/** Redis copies its writes to its replicas well within this time, in milliseconds, unless it is cut off from them. */
const KEPT_MS = 60_000;

/** Bounds the memory. Of more topics than that the oldest are not looked after. */
const MOST = 20_000;

/** A position that a topic has given. */
export interface Given {
  readonly topic: Topic;
  readonly position: Position;
}

/** The last position of each topic that Redis has confirmed to this process lately. */
export class ConfirmedPositions {
  /** In the order of the confirmations. */
  private readonly kept = new Map<string, Given & { readonly until: number }>();

  add(topic: Topic, position: Position): void {
    const key = topicKey(topic);
    const known = this.kept.get(key);
    if (known !== undefined && known.position.n > position.n) return;
    this.kept.delete(key);
    this.kept.set(key, { topic, position, until: performance.now() + KEPT_MS });
    this.forgetOld();
  }

  all(): Given[] {
    this.forgetOld();
    return [...this.kept.values()];
  }

  private forgetOld(): void {
    const now = performance.now();
    for (const [key, { until }] of this.kept) {
      if (until > now && this.kept.size <= MOST) return;
      this.kept.delete(key);
    }
  }
}
