import { describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { clientSettings } from '../../../lib/client/client-options.js';
import { fullJitterMs } from '../../../lib/protocol/full-jitter.js';

const bounds = { baseMs: 500, capMs: 30_000 };

describe('the wait before an attempt', () => {
  it('has an upper bound that doubles with each attempt, up to the cap', () => {
    const highest = [0, 1, 2, 3, 4, 5, 6, 7].map((attempt) =>
      fullJitterMs(attempt, { ...bounds, random: () => 1 }),
    );

    expect(highest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('lies anywhere between nothing and the bound, as full jitter wants it', () => {
    expect(fullJitterMs(3, { ...bounds, random: () => 0 })).toBe(0);
    expect(fullJitterMs(3, { ...bounds, random: () => 0.25 })).toBe(1_000);
  });

  it('stays at the cap however many attempts have failed', () => {
    expect(fullJitterMs(5_000, { ...bounds, random: () => 1 })).toBe(30_000);
  });

  it('defaults to half a second at first and half a minute at most', () => {
    expect(clientSettings({ WebSocket })).toMatchObject({ ...bounds, stableMs: 5_000 });
  });
});
