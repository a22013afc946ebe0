import type { PresenceServer, PresenceStore } from '../../lib/index.js';
import { type ContractHarness, MemoryCluster } from '../../lib/testing/index.js';

/** What a broken store does in its own way; the rest is that of the cluster in memory. `all` are its servers. */
export type PresenceChange = (
  inner: PresenceStore,
  all: readonly PresenceServer[],
) => Partial<PresenceStore>;

export function brokenPresence(change: PresenceChange): ContractHarness<PresenceStore> {
  let cluster = new MemoryCluster();
  let all: PresenceServer[] = [];
  return {
    withinMs: 500,
    reset: () => {
      cluster = new MemoryCluster();
      all = [];
    },
    create: () => {
      const inner = cluster.presence();
      const changed = change(inner, all);
      return {
        register: (one) => inner.register(one),
        unregister: (one) => inner.unregister(one),
        isOnline: (accountId) => inner.isOnline(accountId),
        connectionsOf: (accountId) => inner.connectionsOf(accountId),
        accounts: (page) => inner.accounts(page),
        count: () => inner.count(),
        close: () => inner.close(),
        ...changed,
        start: (server) => {
          all.push(server);
          return (changed.start ?? inner.start.bind(inner))(server);
        },
      };
    },
  };
}
