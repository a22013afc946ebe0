import { DurableTopics } from '../history/durable-topics.js';
import { encodePosition, type Position } from '../transport/position.js';
import { type Topic, topicKey } from '../transport/topic.js';
import type { PlacedPush } from '../transport/topic-history.js';

/** How long a completed read is shared, in milliseconds: clients of a server that was lost reconnect within seconds. */
const SHARED_MS = 2_000;

/** How much all completed reads may hold together: each read counts as its events plus one. */
const MAX_KEPT = 20_000;

interface Shared {
  readonly read: Promise<readonly PlacedPush[] | undefined>;
  /** How much of `MAX_KEPT` it uses; 0 while the read runs. */
  kept: number;
  /** Number of the last push in it; absent while the read runs. */
  end?: number;
}

/** Reads histories for clients that resume: those at the same position share one read. */
export class SharedReads {
  /** Oldest first. */
  private readonly shared = new Map<string, Shared>();
  private kept = 0;

  constructor(private readonly durable: DurableTopics) {}

  /** The pushes after the position, at least up to number `end` unless some are lost. */
  async since(
    topic: Topic,
    position: Position,
    end: number,
  ): Promise<readonly PlacedPush[] | undefined> {
    const key = `${encodePosition(position)} ${topicKey(topic)}`;
    for (;;) {
      const known = this.shared.get(key);
      const isEnough = known !== undefined && (known.end ?? end) >= end;
      const shared = isEnough ? known : this.begin(key, topic, position);
      const missed = await shared.read;
      // A read that was already running may have begun before the last push that was delivered here.
      if (shared !== known || missed === undefined || endOf(missed, position) >= end) return missed;
    }
  }

  private begin(key: string, topic: Topic, position: Position): Shared {
    const shared: Shared = { read: this.durable.history.since(topic, position), kept: 0 };
    const former = this.shared.get(key);
    if (former !== undefined) this.forget(key, former);
    this.shared.set(key, shared);
    const forget = (): void => this.forget(key, shared);
    shared.read.then((missed) => {
      shared.end = missed === undefined ? Infinity : endOf(missed, position);
      this.keep(key, shared, 1 + (missed?.length ?? 0));
      setTimeout(forget, topic.kind === 'account' ? 0 : SHARED_MS).unref();
    }, forget);
    return shared;
  }

  private keep(key: string, shared: Shared, size: number): void {
    if (this.shared.get(key) !== shared) return;
    shared.kept = size;
    this.kept += size;
    for (const [oldest, one] of this.shared) {
      if (this.kept <= MAX_KEPT) return;
      if (one.kept > 0) this.forget(oldest, one);
    }
  }

  private forget(key: string, shared: Shared): void {
    if (this.shared.get(key) !== shared) return;
    this.shared.delete(key);
    this.kept -= shared.kept;
  }
}

function endOf(missed: readonly PlacedPush[], from: Position): number {
  return missed.at(-1)?.place.position.n ?? from.n;
}
