import { setImmediate as turn } from 'node:timers/promises';
import { FlushScheduler } from '../../../lib/connections/flush-scheduler.js';
import { eventually } from '../../support/eventually.js';

/** Keeps the event loop for a millisecond with each flush. */
function slowOutboxes(count: number, flushed: number[]): { flush(): void }[] {
  return Array.from({ length: count }, (_, at) => ({
    flush() {
      const until = performance.now() + 1;
      while (performance.now() < until);
      flushed.push(at);
    },
  }));
}

describe('FlushScheduler', () => {
  it('P6: lets other work go on before the last of very many outboxes', async () => {
    const scheduler = new FlushScheduler();
    const flushed: number[] = [];
    for (const outbox of slowOutboxes(100, flushed)) scheduler.schedule(outbox);
    await turn();
    expect(flushed.length).toBeGreaterThan(0);
    expect(flushed.length).toBeLessThan(100);
    await eventually('all are flushed', () => flushed.length === 100);
    expect(flushed).toEqual(Array.from({ length: 100 }, (_, at) => at));
  });

  it('flushes what is scheduled while the rest waits behind it, once', async () => {
    const scheduler = new FlushScheduler();
    const flushed: number[] = [];
    for (const outbox of slowOutboxes(50, flushed)) scheduler.schedule(outbox);
    await turn();
    scheduler.schedule({ flush: () => flushed.push(-1) });
    await eventually('all are flushed', () => flushed.length === 51);
    await turn();
    expect(flushed.filter((at) => at === -1)).toHaveLength(1);
    expect(flushed.at(-1)).toBe(-1);
  });
});
