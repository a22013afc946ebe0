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
  beforeEach(() => {
    jest.useFakeTimers();
    logs = new MemoryLogs();
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
});
