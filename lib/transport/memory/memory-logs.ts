import { POSITION_KEPT_MS } from '../position.js';
import { type Topic, topicKey } from '../topic.js';
import { MemoryLog } from './memory-log.js';

const PRUNED_EVERY_MS = 10_000;

interface Kept {
  readonly log: MemoryLog;
  usedAt: number;
}

/** The histories of all topics, in the memory of this process. */
export class MemoryLogs {
  private readonly kept = new Map<string, Kept>();
  private readonly pruning: ReturnType<typeof setInterval>;

  constructor(readonly now: () => number = () => performance.now()) {
    this.pruning = setInterval(() => this.prune(), PRUNED_EVERY_MS).unref();
  }

  of(topic: Topic): MemoryLog {
    const key = topicKey(topic);
    const kept = this.kept.get(key) ?? { log: new MemoryLog(), usedAt: 0 };
    kept.usedAt = this.now();
    this.kept.set(key, kept);
    return kept.log;
  }

  close(): void {
    clearInterval(this.pruning);
  }

  private prune(): void {
    const now = this.now();
    for (const [key, { log, usedAt }] of this.kept) {
      log.prune(now);
      if (log.isEmpty && now - usedAt > POSITION_KEPT_MS) this.kept.delete(key);
    }
  }
}
