import type { ConnectionPushResult } from '../../lib/index.js';
import type { LoopTestClient } from '../../lib/testing/index.js';
import type { LoopApp } from './loop-app.js';

interface Numbered {
  readonly from: string;
  readonly n: number;
}

const running = new Set<PushLedger>();

/**
 * One publisher's numbered pushes to one connection that stays open: what the bus said of each, and what arrived. The
 * two are compared at the end.
 */
export class PushLedger {
  private readonly results = new Map<number, ConnectionPushResult>();
  private readonly open = new Set<Promise<void>>();
  private last = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly from: LoopApp,
    private readonly publisher: string,
    private readonly client: LoopTestClient,
  ) {}

  /** One push; resolves with its result. */
  async push(padding = ''): Promise<ConnectionPushResult> {
    const n = ++this.last;
    const { accountId, connectionId } = this.client.welcome;
    const data = { from: this.publisher, n, padding };
    const pushed = this.from.bus.pushToConnection(accountId, connectionId, 'chat:n', data);
    const noted = pushed.then((result) => void this.results.set(n, result));
    this.open.add(noted);
    await noted;
    this.open.delete(noted);
    return this.results.get(n)!;
  }

  /** Many in one turn of the event loop. */
  burst(count: number, padding = ''): Promise<ConnectionPushResult[]> {
    return Promise.all(Array.from({ length: count }, () => this.push(padding)));
  }

  /** Goes on until `settled`. */
  pushEvery(ms: number): void {
    running.add(this);
    this.timer = setInterval(() => void this.push(), ms);
  }

  /** Resolves when every push has its result, and whatever was delivered has arrived. */
  async settled(): Promise<void> {
    this.stop();
    await Promise.all(this.open);
    await this.client.ask({ op: 'ping' });
  }

  stop(): void {
    running.delete(this);
    clearInterval(this.timer);
  }

  count(result: ConnectionPushResult): number {
    return [...this.results.values()].filter((one) => one === result).length;
  }

  get arrived(): readonly number[] {
    return this.client.frames
      .flatMap((frame) =>
        'event' in frame && frame.event === 'chat:n' ? [frame.data as Numbered] : [],
      )
      .filter(({ from }) => from === this.publisher)
      .map(({ n }) => n);
  }

  /** Each result that was not true, and each event that came twice or out of order. */
  get lies(): string[] {
    const { arrived } = this;
    const came = new Set(arrived);
    const wrong = [...this.results]
      .filter(([n, result]) => (result === 'delivered' ? !came.has(n) : result !== 'unknown'))
      .map(([n, result]) => `${n} was ${result}${came.has(n) ? '' : ' and never came'}`);
    const disorder = arrived
      .map((n, at) => [arrived[at - 1] ?? 0, n] as const)
      .filter(([before, n]) => n <= before)
      .map(([before, n]) => `${n} came after ${before}`);
    return [...wrong, ...disorder];
  }
}

/** For a test that failed while its pushes went on. */
export function stopLedgers(): void {
  for (const ledger of running) ledger.stop();
}
