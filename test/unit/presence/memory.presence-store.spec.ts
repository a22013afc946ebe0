import { jest } from '@jest/globals';
import { MemoryPresenceStore } from '../../../lib/presence/memory/memory.presence-store.js';

const GRACE_MS = 1_000;

const connection = (connectionId: string, tag = connectionId) => ({
  accountId: 'acme',
  connectionId,
  serverId: 'server-1',
  registration: tag,
});

async function startedStore() {
  const offline: string[] = [];
  const store = new MemoryPresenceStore();
  await store.start({
    serverId: 'server-1',
    graceMs: GRACE_MS,
    edges: { offline: (accountId) => offline.push(accountId), online: () => {} },
  });
  return { store, offline };
}

describe('MemoryPresenceStore', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('P7: an account that is back within the grace stays online after the grace has passed', async () => {
    const { store, offline } = await startedStore();
    expect((await store.register(connection('a'))).cameOnline).toBe(true);
    await store.unregister(connection('a'));
    jest.advanceTimersByTime(GRACE_MS - 1);
    expect((await store.register(connection('b'))).cameOnline).toBe(false);
    jest.advanceTimersByTime(10 * GRACE_MS);
    expect(offline).toEqual([]);
    expect(await store.isOnline('acme')).toBe(true);
  });

  it('P7: an account that is not back is reported offline once, when the grace has passed', async () => {
    const { store, offline } = await startedStore();
    await store.register(connection('a'));
    await store.unregister(connection('a'));
    await store.unregister(connection('a'));
    jest.advanceTimersByTime(GRACE_MS - 1);
    expect(offline).toEqual([]);
    jest.advanceTimersByTime(10 * GRACE_MS);
    expect(offline).toEqual(['acme']);
    expect((await store.register(connection('a'))).cameOnline).toBe(true);
  });

  it('a late unregister does not hit the successor under the same identity', async () => {
    const { store, offline } = await startedStore();
    await store.register(connection('phone', 'first'));
    const { others } = await store.register(connection('phone', 'second'));
    await store.unregister(connection('phone', 'first'));
    jest.advanceTimersByTime(10 * GRACE_MS);
    expect(others).toEqual([connection('phone', 'first')]);
    expect(await store.connectionsOf('acme')).toHaveLength(1);
    expect(offline).toEqual([]);
  });
});
