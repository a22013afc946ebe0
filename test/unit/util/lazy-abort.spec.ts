import { jest } from '@jest/globals';
import { LazyAbort } from '../../../lib/util/lazy-abort.js';

describe('LazyAbort', () => {
  it('aborts the signal that was asked for', () => {
    const lazy = new LazyAbort();
    const aborted = jest.fn();
    lazy.signal.addEventListener('abort', aborted);
    expect(lazy.signal.aborted).toBe(false);
    lazy.abort();
    lazy.abort();
    expect(lazy.signal.aborted).toBe(true);
    expect(aborted).toHaveBeenCalledTimes(1);
  });

  it('gives an aborted signal to who asks later, and always the same one', () => {
    const lazy = new LazyAbort();
    lazy.abort();
    expect(lazy.signal.aborted).toBe(true);
    expect(lazy.signal).toBe(lazy.signal);
  });

  it('knows the error that its signal made, and no other', () => {
    const lazy = new LazyAbort();
    const { signal } = lazy;
    expect(lazy.causedBy(undefined)).toBe(false);
    lazy.abort();
    expect([lazy.causedBy(signal.reason), lazy.causedBy(new Error('own'))]).toEqual([true, false]);
    const unasked = new LazyAbort();
    unasked.abort();
    expect(unasked.causedBy(undefined)).toBe(false);
  });
});
