import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WebSocket } from 'ws';
import { createCalls } from '../../../lib/client/calls.js';
import { clientSettings } from '../../../lib/client/client-options.js';
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
    const settings = clientSettings({ WebSocket });
    const link = { write: () => true, bufferedAmount: () => 0 };
    const calls = createCalls({ state: 'open', welcome: undefined }, settings, link, () => {});
    const answer = calls.askNow({ op: 'ping' });
    expect(jest.getTimerCount()).toBe(1);

    calls.answer({ op: 'reply', id: 1, data: 'here' });

    expect(await answer).toMatchObject({ data: 'here' });
    expect(jest.getTimerCount()).toBe(0);
  });
});
