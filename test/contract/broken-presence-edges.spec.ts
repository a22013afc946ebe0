import type { PresenceServer } from '../../lib/index.js';
import { presenceStoreContract } from '../../lib/testing/index.js';
import { expectBroken } from '../support/broken-contract.js';
import { brokenPresence, type PresenceChange } from '../support/broken-presence.js';

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
): PresenceChange {
  return (inner, all) => ({
    start: (server) => inner.start(withOffline(server, offlineOf(server, all))),
  });
}

const cannotCancelAGrace: PresenceChange = (inner, all) => ({
  unregister: async (one) => {
    await inner.unregister(one);
    if (await inner.isOnline(one.accountId)) return;
    setTimeout(() => report(all[0], one.accountId), all[0]?.graceMs);
  },
});

const believesThatItIsAlone: PresenceChange = (inner, all) => {
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

const forgetsGracesOnClose: PresenceChange = (inner) => {
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

const DEFECTS: readonly (readonly [defect: string, named: string, change: PresenceChange])[] = [
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

describe('the contract of presence stores notices one that reports wrongly who goes, because it', () => {
  it.each(DEFECTS)('%s: %s', async (_defect, named, change) => {
    await expectBroken(presenceStoreContract(brokenPresence(change)), named);
  });
});
