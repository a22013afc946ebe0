import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RequestTable } from '../../../lib/client/request-table.js';
import { timerMs } from '../../../lib/client/timer.js';

describe('timers', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('hold no delay beyond 32 bits, which would fire at once', () => {
    expect(timerMs(86_400_000 * 30)).toBe(2_147_483_647);
    expect(timerMs(Number.POSITIVE_INFINITY)).toBe(2_147_483_647);
    expect(timerMs(-1)).toBe(0);
    expect(timerMs(25_000)).toBe(25_000);
  });

  it('of answered requests are gone, so that they keep no process alive', async () => {
    const requests = new RequestTable(() => {});
    const id = requests.nextId();
    const answer = requests.waitFor({ id, what: 'it', timeoutMs: 10_000, written: true });
    expect(jest.getTimerCount()).toBe(1);

    requests.resolve({ op: 'reply', id, data: 'here' });

    expect(await answer).toMatchObject({ data: 'here' });
    expect(jest.getTimerCount()).toBe(0);
  });
});
