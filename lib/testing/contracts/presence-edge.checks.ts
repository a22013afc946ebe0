import { growing, oneServer, twoServers } from './check.js';
import { must, mustEqual } from './must.js';
import { numbered } from './names.js';
import { LONG_GRACE_MS, type PresenceCheck, SHORT_GRACE_MS, withGrace } from './presence-check.js';
import type { PresenceMember } from './presence-member.js';

/** Timers of Node round, and so does the clock that they are compared with. */
const ROUNDING_MS = 2;

const ATTEMPTS = 20;

/** One more account leaves through each server and is reported: whatever was due before it has happened by then. */
async function oneMoreGrace(...members: readonly PresenceMember[]): Promise<void> {
  for (const member of members) {
    const accountId = `later ${performance.now()}`;
    await member.visit(accountId);
    await member.untilOffline(accountId);
  }
}

function mustBeReported(a: PresenceMember, accountId: string, times: number): void {
  const what = `${accountId} is reported offline ${times} times in the whole cluster`;
  mustEqual(what, a.offline.timesOf(accountId), times);
}

/** A registration while the report still runs may have its edge told by that, later than by `cameOnline`. */
async function mustComeOnlineAgain(a: PresenceMember, accountId: string): Promise<void> {
  await a.register(accountId);
  await a.patience.until(
    'an account that is back after its report comes online again, told once',
    () => a.online.timesOf(accountId) === 2,
    () => ({ online: a.online.timesOf(accountId) }),
  );
}

/** The account leaves and comes back. A machine that is too slow for the grace tries again with another account. */
async function backInTime(a: PresenceMember, b: PresenceMember): Promise<string> {
  for (const accountId of numbered('acme', ATTEMPTS)) {
    const { registration } = await a.register(accountId);
    const leftAt = performance.now();
    await a.unregister(registration);
    const { cameOnline } = await b.register(accountId);
    if (performance.now() - leftAt >= SHORT_GRACE_MS) continue;
    mustEqual('an account that is back within its grace did not come online', cameOnline, false);
    return accountId;
  }
  throw new Error(
    `This machine or store is too slow: not one of ${ATTEMPTS} accounts left and came back within ${SHORT_GRACE_MS} ms.`,
  );
}

async function mustStayUnseen(a: PresenceMember, b: PresenceMember): Promise<void> {
  const accountId = await backInTime(a, b);
  await oneMoreGrace(a, b);
  mustBeReported(a, accountId, 0);
  mustEqual('it is online after the grace', await a.isOnline(accountId), true);
}

const inLongGrace = withGrace(
  LONG_GRACE_MS,

  twoServers(
    'an account in its grace is not online, and comes back without an edge',
    async (a, b) => {
      const { registration } = await a.register('acme');
      await a.unregister(registration);
      const online = [await a.isOnline('acme'), await b.isOnline('acme')];
      mustEqual('isOnline is false in the grace', online, [false, false]);
      mustEqual('there is no connection in the grace', await b.connectionsOf('acme'), []);
      const back = await b.register('acme');
      mustEqual('cameOnline is false within the grace', back.cameOnline, false);
      mustEqual('there was no registration to replace', back.others, []);
      mustEqual('nothing was reported', a.offline.accounts, []);
    },
  ),

  oneServer('the last server that closes reports the accounts in their grace', async (a) => {
    await Promise.all(numbered('acme', 30).map((accountId) => a.visit(accountId)));
    mustEqual('nothing is reported before', a.offline.accounts, []);
    await a.close();
    const reported = a.offline.accounts.toSorted();
    mustEqual('each account is reported once', reported, numbered('acme', 30).toSorted());
  }),

  growing('a server that is not the last one closes and reports nothing', async (join) => {
    const [a, b] = [await join(), await join()];
    await a.visit('acme');
    const phone = await b.register('other');
    await a.close();
    mustEqual('the grace goes on', b.offline.accounts, []);
    mustEqual('the other keeps its connections', await b.isOnline('other'), true);
    mustEqual('they are all counted', await b.count(), { accounts: 1, connections: 1 });
    mustEqual('the grace is remembered', (await b.register('acme')).cameOnline, false);
    const { others } = await b.register('other');
    mustEqual('registrations are remembered', others, [phone.registration]);
  }),
);

const inShortGrace = withGrace(
  SHORT_GRACE_MS,

  oneServer('an account is reported offline when its grace has passed, never before', async (a) => {
    const { registration } = await a.register('acme');
    const leftAt = performance.now();
    await a.unregister(registration);
    await a.untilOffline('acme');
    const tookMs = (a.offline.firstOf('acme') ?? 0) - leftAt;
    must(`the grace lasts ${SHORT_GRACE_MS} ms`, tookMs >= SHORT_GRACE_MS - ROUNDING_MS, tookMs);
    await mustComeOnlineAgain(a, 'acme');
  }),

  twoServers('an account is reported offline once in the whole cluster', async (a, b) => {
    const [onA, onB] = [await a.register('acme', 'phone'), await b.register('acme', 'tablet')];
    await a.unregister(onA.registration);
    await oneMoreGrace(a);
    mustBeReported(a, 'acme', 0);
    await b.unregister(onB.registration);
    await a.untilOffline('acme');
    await oneMoreGrace(a, b);
    await Promise.all([a.close(), b.close()]);
    mustBeReported(a, 'acme', 1);
  }),

  twoServers('the last two connections leave at the same time: one report', async (a, b) => {
    const accounts = numbered('acme', 20);
    for (const accountId of accounts) {
      const both = [await a.register(accountId, 'phone'), await b.register(accountId, 'tablet')];
      await Promise.all([a.unregister(both[0]!.registration), b.unregister(both[1]!.registration)]);
    }
    for (const accountId of accounts) await a.untilOffline(accountId);
    await oneMoreGrace(a, b);
    for (const accountId of accounts) mustBeReported(a, accountId, 1);
  }),

  oneServer('back within the grace on the same server: no edge, also later', async (a) => {
    await mustStayUnseen(a, a);
  }),

  twoServers('back within the grace on another server: no edge, also later', async (a, b) => {
    await mustStayUnseen(a, b);
  }),

  twoServers('a replaced connection that leaves late shows no edge', async (a, b) => {
    const first = await a.register('acme');
    await b.register('acme');
    await a.unregister(first.registration);
    await oneMoreGrace(a, b);
    mustBeReported(a, 'acme', 0);
  }),

  twoServers('a grace goes on when the server closes that the account left', async (a, b) => {
    await b.register('other');
    await a.visit('acme');
    await a.close();
    await b.untilOffline('acme');
    await oneMoreGrace(b);
    mustBeReported(b, 'acme', 1);
  }),
);

const withoutGrace = withGrace(
  0,

  oneServer('a grace of 0: each leave is an edge', async (a) => {
    for (const accountId of numbered('acme', 10)) {
      await a.visit(accountId);
      await a.untilOffline(accountId);
      await mustComeOnlineAgain(a, accountId);
    }
  }),

  twoServers(
    'as many edges to offline as to online, however fast they come and go',
    async (a, b) => {
      const churn = async (member: PresenceMember, connectionId: string): Promise<void> => {
        for (let round = 0; round < 50; round++) {
          const { registration } = await member.register('acme', connectionId);
          await member.unregister(registration);
        }
      };
      await Promise.all([churn(a, 'phone'), churn(b, 'tablet'), churn(b, 'laptop')]);
      const counts = (): number[] => [a.online.timesOf('acme'), a.offline.timesOf('acme')];
      await a.patience.until(
        'each time that the account came online it went offline once',
        () => counts()[0] === counts()[1],
        counts,
      );
      await Promise.all([a.close(), b.close()]);
      mustBeReported(a, 'acme', a.online.timesOf('acme'));
    },
  ),
);

export const edgeChecks: readonly PresenceCheck[] = [
  ...inLongGrace,
  ...inShortGrace,
  ...withoutGrace,
];
