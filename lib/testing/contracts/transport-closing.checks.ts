import { type Check, oneServer, threeServers, twoServers } from './check.js';
import { mustEqual } from './must.js';
import { numbered } from './names.js';
import { account, mustHave, pushTo, room, type TransportMember } from './transport-member.js';

const BRIEF_MS = 250;

export const closingChecks: readonly Check<TransportMember>[] = [
  oneServer('starts and closes', async (a) => {
    await a.close();
  }),

  twoServers('nothing arrives after close has resolved', async (a, b) => {
    const acme = account('acme');
    await b.attach(acme);
    const names = numbered('n', 500);
    const receipts = names.map((name) =>
      a.publish(acme, pushTo(acme, name), BRIEF_MS).catch(() => {}),
    );
    await b.untilReceived(1);
    await b.close();
    const before = b.names.length;
    await Promise.all(receipts);
    await a.untilExpected(acme, 0);
    mustEqual('it receives nothing more', b.names.slice(before), []);
  }),

  threeServers('the others go on when one closes', async (a, b, c) => {
    const lobby = room('lobby');
    await Promise.all([a.attach(lobby), b.attach(lobby), c.attach(lobby)]);
    await b.close();
    await a.untilExpected(lobby, 1);
    c.received.length = 0;
    await a.reach(1, lobby, pushTo(lobby, 'of a'));
    await c.reach(1, lobby, pushTo(lobby, 'of c'));
    mustHave('those who stayed hear each other', c, ['of a']);
    mustEqual('in both directions', a.names.at(-1), 'of c');
  }),

  twoServers('a publish settles although its server closes', async (a, b) => {
    const acme = account('acme');
    await b.attach(acme);
    b.reply = () => new Promise(() => {});
    const publishing = a.publish(acme, pushTo(acme, 'one'), BRIEF_MS);
    const settled = publishing.then(
      ({ expected, replies }) => expected > replies.length,
      () => true,
    );
    await b.untilReceived(1);
    await a.close();
    mustEqual('it rejects, or tells that an answer is missing', await settled, true);
  }),
];
