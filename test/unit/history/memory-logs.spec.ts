import { jest } from '@jest/globals';
import { MemoryLogs } from '../../../lib/transport/memory/memory-logs.js';
import type { Topic } from '../../../lib/transport/topic.js';
import type { PushMessage } from '../../../lib/transport/transport-message.js';

const DAY_MS = 86_400_000;
const POLICY = { size: 10, ttlMs: 3 * DAY_MS };
const ACME: Topic = { kind: 'account', name: 'acme' };

const push: PushMessage = {
  kind: 'push',
  target: { kind: 'account', accountId: 'acme' },
  name: 'chat:n',
  frame: '1',
  ttlMs: Infinity,
};

describe('the histories in memory', () => {
  let logs: MemoryLogs;
  const followed = new Set<string>();
  beforeEach(() => {
    jest.useFakeTimers();
    followed.clear();
    logs = new MemoryLogs(({ name }) => followed.has(name));
  });
  afterEach(() => {
    logs.close();
    jest.useRealTimers();
  });

  it('P3: keep a push for its ttlMs, though nobody asks for its topic meanwhile', () => {
    const before = logs.of(ACME).position;
    logs.of(ACME).append(push, POLICY, logs.now(), 0);
    jest.advanceTimersByTime(2 * DAY_MS);
    expect(logs.of(ACME).since(before, logs.now())).toHaveLength(1);
  });

  it('forget a position without pushes when nobody has asked for it for a day', () => {
    logs.of(ACME).append(push, { ...POLICY, ttlMs: 1_000 }, logs.now(), 0);
    const { position } = logs.of(ACME);
    jest.advanceTimersByTime(DAY_MS - 1);
    expect(logs.of(ACME).position).toEqual(position);
    jest.advanceTimersByTime(2 * DAY_MS);
    expect(logs.of(ACME).position).not.toEqual(position);
  });

  it('P6: take nothing for a topic without pushes that nobody follows, and know its position', () => {
    followed.add('busy');
    const { position } = logs.of(ACME);
    logs.of({ kind: 'account', name: 'busy' });
    jest.advanceTimersByTime(10_000);
    expect(logs.size).toBe(1);
    jest.advanceTimersByTime(3 * DAY_MS);
    expect(logs.size).toBe(1);
    expect(logs.of(ACME).since(position, logs.now())).toEqual([]);
    expect(logs.of({ kind: 'room', name: 'acme' }).since(position, logs.now())).toBeUndefined();
  });

  it('P3: know that something followed a position, though all that did is forgotten', () => {
    const { position } = logs.of(ACME);
    jest.advanceTimersByTime(10_000);
    logs.of(ACME).append(push, { ...POLICY, ttlMs: 1_000 }, logs.now(), 0);
    const last = logs.of(ACME).position;
    jest.advanceTimersByTime(3 * DAY_MS);
    expect(logs.size).toBe(0);
    expect(logs.of(ACME).since(position, logs.now())).toBeUndefined();
    expect(logs.of(ACME).since(last, logs.now())).toBeUndefined();
    expect(logs.of(ACME).position.n).toBeGreaterThan(last.n);
  });

  it('P3: give what followed the position of a topic that took nothing meanwhile', () => {
    const { position } = logs.of(ACME);
    jest.advanceTimersByTime(10_000);
    expect(logs.size).toBe(0);
    logs.of(ACME).append(push, POLICY, logs.now(), 0);
    expect(logs.of(ACME).since(position, logs.now())).toHaveLength(1);
  });

  it('P6: are pruned a part per turn of the event loop', async () => {
    for (let n = 0; n < 2_500; n++) logs.of({ kind: 'account', name: String(n) });
    jest.advanceTimersByTime(10_000);
    expect(logs.size).toBe(1_500);
    await jest.advanceTimersByTimeAsync(9);
    expect(logs.size).toBe(0);
  });
});
