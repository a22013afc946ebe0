import type { Position } from '../position.js';
import { type Topic, topicKey } from '../topic.js';

/** Bounds the memory. With more topics than this, those confirmed longest ago are not checked. */
const MAX_TOPICS = 20_000;

/** A position that a topic has assigned. */
export interface Given {
  readonly topic: Topic;
  readonly position: Position;
}

/**
 * The last position of each topic that Redis has confirmed to this process, however long ago: Redis may come back with
 * a snapshot that is hours old.
 */
export class ConfirmedPositions {
  /** In the order of confirmation. */
  private readonly kept = new Map<string, Given>();

  add(topic: Topic, position: Position): void {
    const key = topicKey(topic);
    const known = this.kept.get(key);
    if (known !== undefined && known.position.n > position.n) return;
    this.kept.delete(key);
    this.kept.set(key, { topic, position });
    if (this.kept.size > MAX_TOPICS) this.kept.delete(this.kept.keys().next().value!);
  }

  all(): Given[] {
    return [...this.kept.values()];
  }
}
