import { setTimeout as delay } from 'node:timers/promises';

/** Bytes by which two measurements may differ when nothing changes any more. */
const STEADY = 200_000;

/** What is still to time out on a busy machine gets the time for it; what leaks stays however long one waits. */
export async function settledHeap() {
  let before = Infinity;
  for (;;) {
    await delay(1_500);
    globalThis.gc();
    const { heapUsed } = process.memoryUsage();
    if (Math.abs(before - heapUsed) < STEADY) return heapUsed;
    before = heapUsed;
  }
}
