import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

/** How long the event loop was blocked, in milliseconds. */
export interface EventLoopReport {
  /** The longest delay of the engine's own histogram with a resolution of 1 ms. */
  readonly longestDelayMs: number;
  /**
   * How long something that comes at any moment has to wait, in 99 % of all moments at most. A block counts with its length:
   * in a histogram of delays a block of 60 ms is one of hundreds.
   */
  readonly p99WaitMs: number;
  /** The largest lateness of a timer of 1 ms. */
  readonly latestTimerMs: number;
  /**
   * The longest block without the time in which the process was kept waiting for a processor: for each lateness of that
   * timer the CPU time that was used meanwhile, if that is less.
   */
  readonly longestOwnMs: number;
  readonly longestCollectionMs: number;
  readonly collectionsMs: number;
  readonly cpuMs: number;
}

/** Watches this process's event loop from its creation on. */
export class EventLoopWatch {
  private readonly histogram = monitorEventLoopDelay({ resolution: 1 });
  private readonly collections: number[] = [];
  private readonly observer = new PerformanceObserver((list) =>
    this.collections.push(...list.getEntries().map(({ duration }) => duration)),
  );
  private readonly timer = setInterval(() => this.tick(), 1);
  private readonly cpuBefore = cpuMs();
  private readonly began = performance.now();
  private readonly blocksMs: number[] = [];
  private ticked = this.began;
  private cpuAtTick = this.cpuBefore;
  private latestTimerMs = 0;
  private longestOwnMs = 0;

  constructor() {
    this.histogram.enable();
    this.observer.observe({ entryTypes: ['gc'] });
  }

  /** Ends the watch. */
  async end(): Promise<EventLoopReport> {
    this.tick();
    clearInterval(this.timer);
    this.histogram.disable();
    await new Promise((resolve) => setTimeout(resolve, 10)); // the observer hears of collections later
    this.observer.disconnect();
    return {
      longestDelayMs: this.histogram.max / 1e6,
      p99WaitMs: waitOf(this.blocksMs, 0.01 * (this.ticked - this.began)),
      latestTimerMs: this.latestTimerMs,
      longestOwnMs: this.longestOwnMs,
      longestCollectionMs: Math.max(0, ...this.collections),
      collectionsMs: this.collections.reduce((sum, ms) => sum + ms, 0),
      cpuMs: this.cpuAtTick - this.cpuBefore,
    };
  }

  private tick(): void {
    const now = performance.now();
    const cpu = cpuMs();
    const lateMs = now - this.ticked - 1;
    if (lateMs > 0) this.blocksMs.push(lateMs);
    this.latestTimerMs = Math.max(this.latestTimerMs, lateMs);
    this.longestOwnMs = Math.max(this.longestOwnMs, Math.min(lateMs, cpu - this.cpuAtTick));
    this.ticked = now;
    this.cpuAtTick = cpu;
  }
}

/**
 * The wait that is exceeded in so much of the time: in a block of length L, whoever comes in its first L - w milliseconds
 * waits longer than w.
 */
function waitOf(blocksMs: readonly number[], exceededForMs: number): number {
  const longestFirst = blocksMs.toSorted((a, b) => b - a);
  let sum = 0;
  for (const [at, block] of longestFirst.entries()) {
    sum += block;
    const next = longestFirst[at + 1] ?? 0;
    const waitMs = (sum - exceededForMs) / (at + 1);
    if (waitMs >= next) return Math.max(0, waitMs);
  }
  return 0;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
