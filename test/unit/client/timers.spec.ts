import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WebSocket } from 'ws';
import { createCalls } from '../../../lib/client/calls.js';
import { clientSettings } from '../../../lib/client/client-options.js';
import { after } from '../../../lib/client/timer.js';

describe('timers', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('hold no delay beyond 32 bits, which would fire at once', () => {
    const run = jest.fn();
    for (const ms of [86_400_000 * 30, Number.POSITIVE_INFINITY]) after(ms, run);

    jest.advanceTimersByTime(2_147_483_646);
    expect(run).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('of answered requests are gone, so that they keep no process alive', async () => {
    const settings = clientSettings({ WebSocket });
    const link = { write: () => true, bufferedAmount: () => 0 };
    const calls = createCalls({ state: 'open', welcome: undefined }, settings, link, () => {});
    const answer = calls.askNow({ op: 'ping' });
    expect(jest.getTimerCount()).toBe(1);

    calls.answered({ op: 'reply', id: 1, data: 'here' });

    expect(await answer).toMatchObject({ data: 'here' });
    expect(jest.getTimerCount()).toBe(0);
  });
});
