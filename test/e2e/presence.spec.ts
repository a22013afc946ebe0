import { jest } from '@jest/globals';
import { PresenceStore } from '../../lib/index.js';
import { edgeLog } from '../support/edge-log.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

describe('P7: presence', () => {
  async function withEdges(presenceGraceMs: number) {
    const edges: string[] = [];
    const app = await startLoopApp({
      providers: [edgeLog(edges)],
      options: { config: { presenceGraceMs } },
    });
    return { ...app, edges };
  }

  it('an account is online from its first connection to its last, each edge once', async () => {
    const { client, get, edges } = await withEdges(0);
    const store = get(PresenceStore);
    const [a, b] = [
      await client('acme', { connectionId: 'a' }),
      await client('acme', { connectionId: 'b' }),
    ];
    expect(await store.isOnline('acme')).toBe(true);
    expect((await store.connectionsOf('acme')).map(({ connectionId }) => connectionId)).toEqual([
      'a',
      'b',
    ]);
    await a.close();
    await eventually('one is left', async () => (await store.count()).connections === 1);
    expect(edges).toEqual(['+acme']);
    await b.close();
    await eventually('the edge is reported', () => edges.length === 2);
    expect(edges).toEqual(['+acme', '-acme']);
    expect(await store.isOnline('acme')).toBe(false);
  });

  it('a reconnect within the grace shows no edge', async () => {
    const { client, get, edges } = await withEdges(60_000);
    await (await client('acme')).close();
    await eventually(
      'nobody is left',
      async () => (await get(PresenceStore).count()).connections === 0,
    );
    expect(await get(PresenceStore).isOnline('acme')).toBe(false);
    await client('acme');
    expect(edges).toEqual(['+acme']);
  });

  it('accounts come in pages', async () => {
    const { client, get } = await withEdges(0);
    for (const account of ['c', 'a', 'b']) await client(account);
    const store = get(PresenceStore);
    const first = await store.accounts({ limit: 2 });
    const second = await store.accounts({ limit: 2, after: first.next! });
    expect(first.accounts).toHaveLength(2);
    expect(second.next).toBeUndefined();
    expect([...first.accounts, ...second.accounts].toSorted()).toEqual(['a', 'b', 'c']);
  });
});
