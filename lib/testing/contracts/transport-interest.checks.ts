import { type Check, growing, oneServer, threeServers, twoServers } from './check.js';
import { mustEqual } from './must.js';
import { numbered } from './names.js';
import { account, mustHave, pushTo, room, type TransportMember } from './transport-member.js';

const MANY = 1_000;

export const interestChecks: readonly Check<TransportMember>[] = [
  twoServers('attach has resolved: the very next message arrives', async (a, b) => {
    for (const topic of numbered('acme', 50).map(account)) {
      await b.attach(topic);
      await a.reach(1, topic, pushTo(topic, topic.name));
    }
    mustHave('each message arrives once', b, numbered('acme', 50));
  }),

  threeServers('two servers attach one topic at once', async (a, b, c) => {
    for (const topic of numbered('lobby', 20).map(room)) {
      await Promise.all([b.attach(topic), c.attach(topic)]);
      await a.reach(2, topic, pushTo(topic, topic.name));
    }
    mustHave('both receive each message once', b, numbered('lobby', 20));
    mustHave('both receive each message once', c, numbered('lobby', 20));
  }),

  growing('a server that starts later hears and is heard', async (join) => {
    const [a, b] = [await join(), await join()];
    const lobby = room('lobby');
    await b.attach(lobby);
    const late = await join();
    await late.attach(lobby);
    await a.reach(2, lobby, pushTo(lobby, 'to all'));
    await late.reach(1, lobby, pushTo(lobby, 'of the late one'));
    mustHave('it receives what is published from now on', late, ['to all']);
    mustHave('the others receive what it publishes', b, ['to all', 'of the late one']);
  }),

  twoServers('attaches many topics at once', async (a, b) => {
    const topics = numbered('acme', MANY).map(account);
    await b.attach(...topics);
    const receipts = topics.map((topic) => a.reach(1, topic, pushTo(topic, topic.name)));
    await Promise.all(receipts);
    mustEqual(
      'each topic carries its message',
      b.names.toSorted(),
      numbered('acme', MANY).toSorted(),
    );
  }),

  twoServers('attaching what is attached doubles nothing', async (a, b) => {
    const acme = account('acme');
    await Promise.all([b.attach(acme, acme), b.attach(acme)]);
    await b.attach(acme);
    await a.reach(1, acme, pushTo(acme, 'one'));
    mustHave('the message arrives once', b, ['one']);
  }),

  twoServers('a topic that was detached is attached again', async (a, b) => {
    const acme = account('acme');
    await b.attach(acme);
    for (const name of numbered('again', 20)) {
      b.detach(acme);
      await b.attach(acme);
      await a.reach(1, acme, pushTo(acme, name));
    }
    await b.attach(acme);
    b.detach(acme);
    await a.untilExpected(acme, 0);
    b.received.length = 0;
    await b.attach(acme);
    await a.reach(1, acme, pushTo(acme, 'long after'));
    mustHave('it arrives again, once', b, ['long after']);
  }),

  twoServers('a topic is detached and attached while it is being attached', async (a, b) => {
    for (const topic of numbered('acme', 20).map(account)) {
      const first = b.attach(topic).catch(() => {}); // nobody needs it any more, so it may reject
      b.detach(topic);
      await b.attach(topic);
      await a.reach(1, topic, pushTo(topic, topic.name));
      await first;
    }
    mustHave('each message arrives once', b, numbered('acme', 20));
  }),

  oneServer('detach must not throw for what is not attached', async (a) => {
    a.detach(account('acme'), room('lobby'));
    await a.attach();
    a.detach();
    await a.attach(account('acme'));
    a.detach(account('acme'));
    a.detach(account('acme'));
  }),

  threeServers('nobody waits for a server that detached', async (a, b, c) => {
    const lobby = room('lobby');
    await Promise.all([b.attach(lobby), c.attach(lobby)]);
    b.detach(lobby);
    await a.untilExpected(lobby, 1);
    const before = b.received.length;
    await a.reach(1, lobby, pushTo(lobby, 'for those who stayed'));
    mustEqual('a detached server receives nothing', b.names.slice(before), []);
    mustEqual('the others are still attached', c.names.at(-1), 'for those who stayed');
  }),

  twoServers('nobody waits for a server that detached before its attach resolved', async (a, b) => {
    const lobby = room('lobby');
    const attached = b.attach(lobby).catch(() => {}); // it may reject, but has to settle
    b.detach(lobby);
    await attached;
    await a.untilExpected(lobby, 0);
  }),
];
