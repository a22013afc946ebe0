import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Drain } from '../../../lib/gateway/drain.js';
import type { Session } from '../../../lib/gateway/session/session.js';
import { Sessions } from '../../../lib/gateway/session/sessions.js';
import { resolveConfig } from '../../../lib/loop-ws.config-reader.js';
import type { LoopWsSettings } from '../../../lib/loop-ws.settings.js';

const DRAIN_MS = 1_000;
const CLIENTS = 8;

describe('a server that drains', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  let sessions: Sessions;
  let closed: string[];
  beforeEach(() => {
    [sessions, closed] = [new Sessions(), []];
  });

  /** Its socket is gone as soon as it is closed. */
  function enter(id: string, whenIdle = async (): Promise<void> => {}): void {
    const session = {
      whenIdle,
      connection: {
        accountId: 'acme',
        registration: { registration: id },
        state: 'open',
        sendFrame(): void {},
        close(): void {
          closed.push(id);
          sessions.remove(session);
        },
      },
    } as unknown as Session;
    sessions.add(session);
  }

  function drain(): Promise<void> {
    const settings = { config: resolveConfig({ drainMs: DRAIN_MS }) } as LoopWsSettings;
    return new Drain(settings, sessions).run();
  }

  it('P9: closes its clients one by one, evenly over drainMs', async () => {
    for (let n = 0; n < CLIENTS; n++) enter(`${n}`);
    const drained = drain();
    await jest.advanceTimersByTimeAsync(0);
    for (let n = 1; n < CLIENTS; n++) {
      await jest.advanceTimersByTimeAsync(DRAIN_MS / CLIENTS - 1);
      expect(closed).toHaveLength(n);
      await jest.advanceTimersByTimeAsync(1);
      expect(closed).toHaveLength(n + 1);
    }
    await drained;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('P9: waits for a client whose frames are being handled until the end of drainMs', async () => {
    enter('busy', () => new Promise(() => {}));
    enter('idle');
    const drained = drain();
    await jest.advanceTimersByTimeAsync(DRAIN_MS - 1);
    expect(closed).toEqual(['idle']);
    await jest.advanceTimersByTimeAsync(1);
    expect(closed).toEqual(['idle', 'busy']);
    await drained;
  });
});
