import { setTimeout as delay } from 'node:timers/promises';
import type { PresenceRegistration, PresenceServer, PresenceStore } from '../../lib/index.js';
import {
  type ContractHarness,
  MemoryCluster,
  presenceStoreContract,
} from '../../lib/testing/index.js';
import { expectBroken } from '../support/broken-contract.js';

/** What a broken store does in its own way; the rest is that of the cluster in memory. `all` are its servers. */
type Change = (inner: PresenceStore, all: readonly PresenceServer[]) => Partial<PresenceStore>;

function broken(change: Change): ContractHarness<PresenceStore> {
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

type Offline = (accountId: string) => void;

function report(server: PresenceServer | undefined, accountId: string): void {
  server?.edges?.offline(accountId);
}

function withOffline(server: PresenceServer, offline: Offline): PresenceServer {
  return { ...server, edges: { offline, online: () => {} } };
}

/** Reports in another way what the store in memory would have reported. */
function brokenReports(
  offlineOf: (server: PresenceServer, all: readonly PresenceServer[]) => Offline,
): Change {
  return (inner, all) => ({
    start: (server) => inner.start(withOffline(server, offlineOf(server, all))),
  });
}

const looksBeforeItWrites: Change = (inner) => ({
  register: async (one) => {
    const wasOnline = await inner.isOnline(one.accountId);
    await delay(1);
    return { ...(await inner.register(one)), cameOnline: !wasOnline };
  },
});

const unregistersByIdentity: Change = (inner) => {
  const latest = new Map<string, PresenceRegistration>();
  const keyOf = ({ accountId, connectionId }: PresenceRegistration): string =>
    JSON.stringify([accountId, connectionId]);
  return {
    register: (one) => {
      latest.set(keyOf(one), one);
      return inner.register(one);
    },
    unregister: (one) => inner.unregister(latest.get(keyOf(one)) ?? one),
  };
};

const cannotCancelAGrace: Change = (inner, all) => ({
  unregister: async (one) => {
    await inner.unregister(one);
    if (await inner.isOnline(one.accountId)) return;
    setTimeout(() => report(all[0], one.accountId), all[0]?.graceMs);
  },
});

const believesThatItIsAlone: Change = (inner, all) => {
  const left = new Set<string>();
  return {
    unregister: (one) => {
      left.add(one.accountId);
      return inner.unregister(one);
    },
    close: async () => {
      for (const accountId of left) report(all[0], accountId);
      await inner.close();
    },
  };
};

const countsItsOwn: Change = (inner) => {
  const own = new Map<string, string>();
  return {
    register: (one) => {
      own.set(one.registration, one.accountId);
      return inner.register(one);
    },
    unregister: (one) => {
      own.delete(one.registration);
      return inner.unregister(one);
    },
    count: async () => ({ accounts: new Set(own.values()).size, connections: own.size }),
  };
};

const pagesByNumber: Change = (inner) => ({
  accounts: async ({ after = '0', limit = 100 } = {}) => {
    const { accounts } = await inner.accounts({ limit: 1_000_000 });
    const end = Number(after) + limit;
    const page = accounts.slice(Number(after), end);
    return end < accounts.length ? { accounts: page, next: `${end}` } : { accounts: page };
  },
});

const forgetsGracesOnClose: Change = (inner) => {
  let isClosing = false;
  return {
    start: (server) =>
      inner.start(
        withOffline(server, (accountId) => {
          if (!isClosing) report(server, accountId);
        }),
      ),
    close: () => {
      isClosing = true;
      return inner.close();
    },
  };
};

const DEFECTS: readonly (readonly [defect: string, named: string, change: Change])[] = [
  [
    'tells every connection that it came online',
    'an account comes online with its first connection only',
    (inner) => ({
      register: async (one) => ({ ...(await inner.register(one)), cameOnline: true }),
    }),
  ],
  [
    'looks before it writes',
    'cameOnline is told once when two servers register at the same time',
    looksBeforeItWrites,
  ],
  [
    'registers after it has answered',
    'register has resolved: every server sees the connection',
    (inner) => ({
      register: async (one) => {
        setTimeout(() => void inner.register(one), 5);
        return { cameOnline: true, others: [] };
      },
    }),
  ],
  [
    'forgets the others',
    'others are the registrations of the same identity, and only these',
    (inner) => ({ register: async (one) => ({ ...(await inner.register(one)), others: [] }) }),
  ],
  [
    'takes every connection of the account for others',
    'an account comes online with its first connection only',
    (inner) => ({
      register: async (one) => {
        const known = await inner.connectionsOf(one.accountId);
        const others = known.map((other) => ({ ...other, registration: 'any' }));
        return { ...(await inner.register(one)), others };
      },
    }),
  ],
  [
    'unregisters by identity',
    'a late unregister does not hit a successor on the same server',
    unregistersByIdentity,
  ],
  [
    'rejects what it does not know',
    'unregistering what is not there is not an error',
    (inner) => ({
      unregister: async (one) => {
        const before = await inner.count();
        await inner.unregister(one);
        const after = await inner.count();
        if (before.connections === after.connections) await new Promise(() => {});
      },
    }),
  ],
  [
    'is confused by names',
    'ids are kept apart whatever they contain',
    (inner) => ({
      register: (one) => inner.register({ ...one, accountId: one.accountId.trim() }),
    }),
  ],
  [
    'pages without end in sight',
    'a page has 100 accounts by default',
    (inner) => ({ accounts: (page) => inner.accounts({ limit: 1_000, ...page }) }),
  ],
  [
    'has pages of any size',
    'a page of no size is refused',
    (inner) => ({
      accounts: ({ limit = 100, ...page } = {}) =>
        inner.accounts({ ...page, limit: Math.max(1, Math.floor(limit) || 1) }),
    }),
  ],
  [
    'doubles an account between two pages',
    'accounts are paged to the end, whatever their names',
    (inner) => ({
      accounts: async (page) => {
        const { accounts, ...rest } = await inner.accounts(page);
        return {
          accounts: page?.after ? [page.after, ...accounts.slice(0, -1)] : accounts,
          ...rest,
        };
      },
    }),
  ],
  [
    'ends after its first page',
    'accounts lists those of every server once, and none in its grace',
    (inner) => ({
      accounts: async (page) => ({ accounts: (await inner.accounts(page)).accounts }),
    }),
  ],
  ['pages by number', 'who stays is listed although others come and go meanwhile', pagesByNumber],
  ['counts its own', 'count has the accounts and connections of every server', countsItsOwn],
  [
    'takes a grace for presence',
    'an account in its grace is not online, and comes back without an edge',
    (inner) => {
      const seen = new Set<string>();
      return {
        register: (one) => {
          seen.add(one.accountId);
          return inner.register(one);
        },
        isOnline: async (accountId) => seen.has(accountId),
      };
    },
  ],
  [
    'forgets the grace',
    'an account in its grace is not online, and comes back without an edge',
    (inner) => ({
      register: async (one) => {
        const wasOnline = await inner.isOnline(one.accountId);
        return { ...(await inner.register(one)), cameOnline: !wasOnline };
      },
    }),
  ],
  [
    'gives no grace',
    'an account is reported offline when its grace has passed, never before',
    (inner) => ({ start: (server) => inner.start({ ...server, graceMs: 0 }) }),
  ],
  [
    'reports on every server',
    'an account is reported offline once in the whole cluster',
    brokenReports((_server, all) => (accountId) => {
      for (const server of all) report(server, accountId);
    }),
  ],
  [
    'reports twice',
    'a grace goes on when the server closes that the account left',
    brokenReports((server) => (accountId) => {
      report(server, accountId);
      setTimeout(() => report(server, accountId), 10);
    }),
  ],
  ['never reports', 'a grace of 0: each leave is an edge', brokenReports(() => () => {})],
  [
    'cannot cancel a grace',
    'back within the grace on another server: no edge, also later',
    cannotCancelAGrace,
  ],
  [
    'reports more than there was',
    'as many edges to offline as to online, however fast they come and go',
    cannotCancelAGrace,
  ],
  [
    'forgets graces when it closes',
    'the last server that closes reports the accounts in their grace',
    forgetsGracesOnClose,
  ],
  [
    'believes that it is alone',
    'a server that is not the last one closes and reports nothing',
    believesThatItIsAlone,
  ],
];

describe('the contract of presence stores notices one that', () => {
  it.each(DEFECTS)('%s: %s', async (_defect, named, change) => {
    await expectBroken(presenceStoreContract(broken(change)), named);
  });
});
