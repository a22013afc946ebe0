import { DurableTopics } from '../history/durable-topics.js';
import { encodePosition, type Position } from '../transport/position.js';
import { type Topic, topicKey } from '../transport/topic.js';
import type { PlacedPush } from '../transport/topic-history.js';

/** How long a completed read is shared, in milliseconds: clients of a server that was lost reconnect within seconds. */
const SHARED_MS = 2_000;

interface Shared {
  readonly read: Promise<readonly PlacedPush[] | undefined>;
  /** Number of the last push in it; absent while the read runs. */
  end?: number;
}

/** Reads histories for clients that resume: those at the same position share one read. */
export class SharedReads {
  private readonly shared = new Map<string, Shared>();

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
    const shared: Shared = { read: this.durable.history.since(topic, position) };
    this.shared.set(key, shared);
    const forget = (): void => {
      if (this.shared.get(key) === shared) this.shared.delete(key);
    };
    shared.read.then((missed) => {
      shared.end = missed === undefined ? Infinity : endOf(missed, position);
      setTimeout(forget, topic.kind === 'account' ? 0 : SHARED_MS).unref();
    }, forget);
    return shared;
  }
}

function endOf(missed: readonly PlacedPush[], from: Position): number {
  return missed.at(-1)?.place.position.n ?? from.n;
}
