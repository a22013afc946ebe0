import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  CredentialsExpiry,
  noticeWaitMs,
} from '../../../../lib/gateway/session/credentials-expiry.js';

const DAY_MS = 86_400_000;

describe('the expiry of credentials', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function expiring(lifetimeMs: number) {
    const startedAt = Date.now();
    const notices: number[] = [];
    const onExpired = jest.fn();
    const expiry = new CredentialsExpiry(startedAt + lifetimeMs, {
      onExpiring: () => notices.push(Date.now() - startedAt),
      onExpired,
    });
    return { expiry, notices, onExpired };
  }

  it('is told when a fifth is left, and each time when a fifth of the rest is', () => {
    const { notices, onExpired } = expiring(10_000);

    jest.advanceTimersByTime(9_999);
    expect(notices).toEqual([8_000, 9_600, 9_920]);
    expect(onExpired).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(onExpired).toHaveBeenCalledTimes(1);
  });

  it('is told five minutes before at most', () => {
    expect(noticeWaitMs(3_600_000)).toBe(3_300_000);
  });

  it('is not told in a tight loop', () => {
    const { notices, onExpired } = expiring(200);
    jest.advanceTimersByTime(200);

    expect(notices).toEqual([]);
    expect(onExpired).toHaveBeenCalledTimes(1);
  });

  it('comes at once when it is over already', () => {
    const { onExpired } = expiring(-1);
    jest.advanceTimersByTime(0);

    expect(onExpired).toHaveBeenCalledTimes(1);
  });

  it('comes in its time also when that is beyond what timers hold', () => {
    const { notices, onExpired } = expiring(60 * DAY_MS);
    jest.advanceTimersByTime(60 * DAY_MS - 300_001);
    expect(notices).toEqual([]);

    jest.advanceTimersByTime(300_000);
    expect(notices[0]).toBe(60 * DAY_MS - 300_000);
    expect(onExpired).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(onExpired).toHaveBeenCalledTimes(1);
  });

  it.each([1e21, Number.MAX_VALUE])('never comes when it is in %s ms', (lifetimeMs) => {
    const { notices, onExpired } = expiring(lifetimeMs);
    jest.advanceTimersByTime(100 * DAY_MS);

    expect(notices).toEqual([]);
    expect(onExpired).not.toHaveBeenCalled();
  });

  it('does not come once it is cleared', () => {
    const { expiry, notices, onExpired } = expiring(10_000);
    jest.advanceTimersByTime(8_000);
    expiry.clear();
    jest.advanceTimersByTime(10_000);

    expect(notices).toHaveLength(1);
    expect(onExpired).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });
});
