import { TurnPace } from '../../util/turn-pace.js';
import { POSITION_KEPT_MS } from '../position.js';
import { type Topic, topicKey } from '../topic.js';
import { InitialPositions } from './initial-positions.js';
import { MemoryLog } from './memory-log.js';

const PRUNED_EVERY_MS = 10_000;

/** How many logs are pruned in one turn of the event loop. */
const PRUNED_PER_TURN = 1_000;

interface Kept {
  readonly topic: Topic;
  readonly log: MemoryLog;
  usedAt: number;
}

/** The histories of all topics, in the memory of this process. */
export class MemoryLogs {
  private readonly kept = new Map<string, Kept>();
  private readonly initialPositions: InitialPositions;
  private readonly pruning: ReturnType<typeof setInterval>;
  private readonly pace = new TurnPace(PRUNED_PER_TURN);
  private isPruning = false;

  /** @param isFollowed Whether a server is attached to the topic. If so, its log is kept even while it is empty. */
  constructor(
    private readonly isFollowed: (topic: Topic) => boolean,
    readonly now: () => number = () => performance.now(),
  ) {
    this.initialPositions = new InitialPositions(now);
    this.pruning = setInterval(() => void this.prune(), PRUNED_EVERY_MS).unref();
  }

  /** The number of topics that take memory. */
  get size(): number {
    return this.kept.size;
  }

  of(topic: Topic): MemoryLog {
    const key = topicKey(topic);
    const kept = this.kept.get(key) ?? this.begin(topic);
    kept.usedAt = this.now();
    this.kept.set(key, kept);
    return kept.log;
  }

  close(): void {
    clearInterval(this.pruning);
  }

  private begin(topic: Topic): Kept {
    return { topic, log: new MemoryLog(this.initialPositions.of(topic)), usedAt: 0 };
  }

  private async prune(): Promise<void> {
    if (this.isPruning) return;
    this.isPruning = true;
    for (const [key, kept] of this.kept) {
      const turn = this.pace.pass();
      if (turn !== undefined) await turn;
      this.pruneOne(key, kept);
    }
    this.isPruning = false;
  }

  private pruneOne(key: string, { topic, log, usedAt }: Kept): void {
    const now = this.now();
    log.prune(now);
    if (!log.isEmpty || this.isFollowed(topic)) return;
    if (!log.isUntouched && now - usedAt <= POSITION_KEPT_MS) return;
    if (!log.isUntouched) this.initialPositions.renew(topic);
    this.kept.delete(key);
  }
}
