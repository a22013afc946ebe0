import { oneServer, twoServers } from './check.js';
import { must, mustEqual } from './must.js';
import { numbered, STRANGE_NAMES } from './names.js';
import { LONG_GRACE_MS, type PresenceCheck, withGrace } from './presence-check.js';
import type { PresenceMember } from './presence-member.js';

const DEFAULT_LIMIT = 100;

/** Walks to the end. A store that pages for ever is stopped when it has given more pages than there can be. */
async function walk(
  member: PresenceMember,
  limit: number | undefined,
  between: (page: readonly string[]) => Promise<void> = async () => {},
): Promise<readonly string[]> {
  const all: string[] = [];
  const most = limit ?? DEFAULT_LIMIT;
  let after: string | undefined;
  do {
    const { accounts, next } = await member.accounts({
      ...(after === undefined ? {} : { after }),
      ...(limit === undefined ? {} : { limit }),
    });
    must(`a page has at most ${most} accounts`, accounts.length <= most, accounts.length);
    all.push(...accounts);
    must('paging ends, and no account is in two pages', new Set(all).size === all.length, all);
    must('a page that is not the last one has accounts', accounts.length > 0 || !next, all);
    await between(accounts);
    after = next;
  } while (after !== undefined);
  return all;
}

async function arrive(member: PresenceMember, accounts: readonly string[]): Promise<void> {
  await Promise.all(accounts.map((accountId) => member.register(accountId)));
}

async function mustList(
  member: PresenceMember,
  limit: number | undefined,
  wanted: readonly string[],
): Promise<void> {
  const what = `accounts in pages of ${limit ?? 'the default'} has every account once`;
  mustEqual(what, (await walk(member, limit)).toSorted(), wanted.toSorted());
}

export const readingChecks: readonly PresenceCheck[] = withGrace(
  LONG_GRACE_MS,

  oneServer('nobody is online: one page that is empty, and counts of 0', async (a) => {
    mustEqual('there is one page without accounts', await a.accounts(), { accounts: [] });
    mustEqual('nothing is counted', await a.count(), { accounts: 0, connections: 0 });
  }),

  oneServer('accounts are paged to the end, whatever their names', async (a) => {
    await arrive(a, STRANGE_NAMES);
    for (const limit of [1, 2, STRANGE_NAMES.length, 1_000, undefined]) {
      await mustList(a, limit, STRANGE_NAMES);
    }
  }),

  oneServer(`a page has ${DEFAULT_LIMIT} accounts by default`, async (a) => {
    const accounts = numbered('acme', 2 * DEFAULT_LIMIT + 30);
    await arrive(a, accounts);
    const { accounts: first } = await a.accounts();
    mustEqual('the first page is full', first.length, DEFAULT_LIMIT);
    await mustList(a, undefined, accounts);
  }),

  oneServer('a page of no size is refused', async (a) => {
    await a.register('acme');
    for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const outcome = await a.accounts({ limit }).catch((error: unknown) => error);
      must(`accounts({ limit: ${limit} }) is a RangeError`, outcome instanceof RangeError, outcome);
    }
  }),

  twoServers('accounts lists those of every server once, and none in its grace', async (a, b) => {
    const accounts = numbered('acme', 30);
    await Promise.all([arrive(a, accounts.slice(0, 20)), arrive(b, accounts.slice(10))]);
    await Promise.all([a.visit('gone'), b.visit('gone too')]);
    await mustList(a, 7, accounts);
    await mustList(b, 7, accounts);
  }),

  oneServer('who stays is listed although others come and go meanwhile', async (a) => {
    const staying = numbered('stays', 20);
    await arrive(a, staying);
    const going = await Promise.all(numbered('goes', 20).map((name) => a.register(name)));
    let pages = 0;
    const seen = await walk(a, 3, async (page) => {
      await a.register(`comes-${pages++}`);
      const gone = going.filter(({ registration }) => page.includes(registration.accountId));
      await Promise.all(gone.map(({ registration }) => a.unregister(registration)));
    });
    const listed = staying.filter((name) => seen.includes(name));
    mustEqual('everyone who was there all the time is listed', listed, staying);
  }),

  twoServers('count has the accounts and connections of every server', async (a, b) => {
    const phone = await a.register('acme', 'phone');
    const tablet = await b.register('acme', 'tablet');
    const other = await b.register('other', 'phone');
    const both = async (): Promise<unknown[]> => [await a.count(), await b.count()];
    const wanted = (accounts: number, connections: number): unknown[] => [
      { accounts, connections },
      { accounts, connections },
    ];
    mustEqual('each account and each connection counts once', await both(), wanted(2, 3));
    await a.unregister(phone.registration);
    mustEqual('an account stays with its other connection', await both(), wanted(2, 2));
    await b.unregister(other.registration);
    mustEqual('an account in its grace does not count', await both(), wanted(1, 1));
    await b.unregister(tablet.registration);
    mustEqual('nobody is left', await both(), wanted(0, 0));
  }),
);
