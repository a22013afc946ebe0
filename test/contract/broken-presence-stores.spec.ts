import { setTimeout as delay } from 'node:timers/promises';
import type { PresenceRegistration } from '../../lib/index.js';
import { presenceStoreContract } from '../../lib/testing/index.js';
import { expectBroken } from '../support/broken-contract.js';
import { brokenPresence, type PresenceChange } from '../support/broken-presence.js';

const looksBeforeItWrites: PresenceChange = (inner) => ({
  register: async (one) => {
    const wasOnline = await inner.isOnline(one.accountId);
    await delay(1);
    return { ...(await inner.register(one)), cameOnline: !wasOnline };
  },
});

const unregistersByIdentity: PresenceChange = (inner) => {
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

const countsItsOwn: PresenceChange = (inner) => {
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

const pagesByNumber: PresenceChange = (inner) => ({
  accounts: async ({ after = '0', limit = 100 } = {}) => {
    const { accounts } = await inner.accounts({ limit: 1_000_000 });
    const end = Number(after) + limit;
    const page = accounts.slice(Number(after), end);
    return end < accounts.length ? { accounts: page, next: `${end}` } : { accounts: page };
  },
});

const DEFECTS: readonly (readonly [defect: string, named: string, change: PresenceChange])[] = [
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
];

describe('the contract of presence stores notices one that', () => {
  it.each(DEFECTS)('%s: %s', async (_defect, named, change) => {
    await expectBroken(presenceStoreContract(brokenPresence(change)), named);
  });
});
