import type { PresenceRegistration, PresentConnection } from '../../presence/presence-store.js';
import { oneServer, twoServers } from './check.js';
import { mustEqual } from './must.js';
import { numbered, STRANGE_NAMES } from './names.js';
import { LONG_GRACE_MS, type PresenceCheck, withGrace } from './presence-check.js';
import type { PresenceMember, Registered } from './presence-member.js';

async function mustHaveConnections(
  member: PresenceMember,
  accountId: string,
  wanted: readonly Registered[],
): Promise<void> {
  const keyOf = ({ connectionId, serverId }: PresentConnection): string =>
    `${connectionId} ${serverId}`;
  const sorted = (all: readonly PresentConnection[]): readonly PresentConnection[] =>
    all.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  mustEqual(
    'connectionsOf has the connections of the account on every server',
    sorted(await member.connectionsOf(accountId)).map(({ accountId: of, ...rest }) => [of, rest]),
    sorted(wanted.map(({ registration }) => registration)).map(({ connectionId, serverId }) => [
      accountId,
      { connectionId, serverId },
    ]),
  );
}

function othersOf({ others }: Registered): readonly PresenceRegistration[] {
  return others;
}

function registrationOf({ registration }: Registered): PresenceRegistration {
  return registration;
}

function cameOnline(registered: readonly Registered[]): number {
  return registered.filter((one) => one.cameOnline).length;
}

export const registrationChecks: readonly PresenceCheck[] = withGrace(
  LONG_GRACE_MS,

  oneServer('an account comes online with its first connection only', async (a) => {
    mustEqual('nobody is there at first', await a.isOnline('acme'), false);
    mustEqual('it has no connection at first', await a.connectionsOf('acme'), []);
    const phone = await a.register('acme', 'phone');
    const tablet = await a.register('acme', 'tablet');
    const edges = [phone.cameOnline, tablet.cameOnline];
    mustEqual('cameOnline is told of the first connection only', edges, [true, false]);
    mustEqual('others are of the same identity only', [phone.others, tablet.others], [[], []]);
    await mustHaveConnections(a, 'acme', [phone, tablet]);
  }),

  twoServers('register has resolved: every server sees the connection', async (a, b) => {
    for (const accountId of numbered('acme', 20)) {
      const phone = await a.register(accountId, 'phone');
      mustEqual('isOnline is true on every server', await b.isOnline(accountId), true);
      await mustHaveConnections(b, accountId, [phone]);
      const tablet = await b.register(accountId, 'tablet');
      mustEqual('cameOnline is told once in the cluster', tablet.cameOnline, false);
      await mustHaveConnections(a, accountId, [phone, tablet]);
    }
  }),

  twoServers('cameOnline is told once when two servers register at the same time', async (a, b) => {
    for (const accountId of numbered('acme', 30)) {
      const both = [a.register(accountId, 'phone'), b.register(accountId, 'tablet')];
      mustEqual('one of the two came online', cameOnline(await Promise.all(both)), 1);
    }
  }),

  twoServers('the same identity at the same time: one learns of the other', async (a, b) => {
    for (const accountId of numbered('acme', 30)) {
      const both = await Promise.all([a.register(accountId), b.register(accountId)]);
      mustEqual('one of the two came online', cameOnline(both), 1);
      const [later, earlier] = both[0].others.length > 0 ? both : both.toReversed();
      const others = [later?.others, earlier?.others];
      const wanted = [[earlier?.registration], []];
      mustEqual('the later one is told of the one that it replaces', others, wanted);
    }
  }),

  twoServers('others are the registrations of the same identity, and only these', async (a, b) => {
    await a.register('acme', 'laptop');
    await b.register('acme', 'phone2');
    await b.register('other', 'phone');
    const onA = await a.register('acme', 'phone');
    mustEqual('there is none of the same identity yet', onA.others, []);
    const onB = await b.register('acme', 'phone');
    mustEqual('the one on the other server is replaced', onB.others, [onA.registration]);
    const { others, cameOnline: edge } = await a.register('acme', 'phone');
    const tags = others.map(({ registration }) => registration).toSorted();
    const wanted = [onA, onB].map(({ registration }) => registration.registration).toSorted();
    mustEqual('all that are still there are replaced', tags, wanted);
    mustEqual('the account was online', edge, false);
  }),

  twoServers('others are found among many connections of the account', async (a, b) => {
    const names = ['phone', ...STRANGE_NAMES, ...numbered('phone', 100)];
    const first = await Promise.all(names.map((name) => a.register('acme', name)));
    mustEqual('they are of different identities', first.flatMap(othersOf), []);
    const second = await Promise.all(names.map((name) => b.register('acme', name)));
    mustEqual('each replaces the one', second.flatMap(othersOf), first.map(registrationOf));
    await Promise.all(first.map(({ registration }) => a.unregister(registration)));
    const third = await Promise.all(names.map((name) => a.register('acme', name)));
    mustEqual('those that left are gone', third.flatMap(othersOf), second.map(registrationOf));
    const left = [...second, ...third].map(({ registration }) => registration);
    await Promise.all(left.map((one) => (one.serverId === a.serverId ? a : b).unregister(one)));
    mustEqual('the account has left', await b.isOnline('acme'), false);
    mustEqual('none is left', (await a.register('acme', 'phone')).others, []);
  }),

  twoServers('a late unregister does not hit the successor', async (a, b) => {
    const first = await a.register('acme');
    const second = await b.register('acme');
    await a.unregister(first.registration);
    mustEqual('the account is still online', await a.isOnline('acme'), true);
    await mustHaveConnections(a, 'acme', [second]);
    await a.unregister(first.registration);
    await mustHaveConnections(b, 'acme', [second]);
  }),

  oneServer('a late unregister does not hit a successor on the same server', async (a) => {
    const first = await a.register('acme');
    const second = await a.register('acme');
    mustEqual('the successor replaces it', second.others, [first.registration]);
    await a.unregister(first.registration);
    await mustHaveConnections(a, 'acme', [second]);
    await a.unregister(second.registration);
    mustEqual('what was left is the successor', await a.isOnline('acme'), false);
  }),

  oneServer('unregistering what is not there is not an error', async (a) => {
    await a.unregister(a.registrationOf('acme', 'phone'));
    const phone = await a.register('acme');
    await a.unregister(a.registrationOf('acme', 'phone'));
    await mustHaveConnections(a, 'acme', [phone]);
    mustEqual('nothing is counted that was not there', await a.count(), {
      accounts: 1,
      connections: 1,
    });
    await a.unregister(phone.registration);
    await a.unregister(phone.registration);
    mustEqual('nothing is counted twice', await a.count(), { accounts: 0, connections: 0 });
  }),

  oneServer('ids are kept apart whatever they contain', async (a) => {
    const registered: Registered[] = [];
    for (const name of STRANGE_NAMES) registered.push(await a.register(name, `${name} phone`));
    mustEqual('each account came online', cameOnline(registered), STRANGE_NAMES.length);
    for (const one of registered) await mustHaveConnections(a, one.registration.accountId, [one]);
    const shared: Registered[] = [];
    for (const name of STRANGE_NAMES) shared.push(await a.register('one account', name));
    mustEqual(
      'no connection replaces another',
      shared.flatMap(({ others }) => others),
      [],
    );
    await mustHaveConnections(a, 'one account', shared);
  }),
);
