import type { Topic } from '../../transport/topic.js';
import { atOnce, type Check, growing, threeServers, twoServers } from './check.js';
import { mustEqual } from './must.js';
import { numbered, STRANGE_NAMES } from './names.js';
import { account, mustHave, pushTo, room, type TransportMember } from './transport-member.js';

const BURST = 500;

const KINDS = ['account', 'room', 'service'] as const;

/** Some are large, so that an implementation that sends large ones another way has to keep them in line, too. */
function frameAt(at: number): string {
  return at % 50 === 0 ? 'x'.repeat(100_000) : `${at}`;
}

async function burst(from: TransportMember, topic: Topic, names: readonly string[]): Promise<void> {
  const receipts = names.map((name, at) => from.publish(topic, pushTo(topic, name, frameAt(at))));
  await Promise.all(receipts);
}

/**
 * Each topic has a number, and each server attaches those whose number has its bit: of any two topics there is a server
 * that wants just one.
 */
async function mustKeepApart(
  a: TransportMember,
  members: readonly TransportMember[],
  topics: readonly Topic[],
): Promise<void> {
  const wantedBy = (bit: number): readonly Topic[] =>
    topics.filter((_, at) => ((at + 1) >> bit) % 2 === 1);
  await Promise.all(members.map((member, bit) => member.attach(...wantedBy(bit))));
  const labelOf = ({ kind, name }: Topic): string => `${kind} ${name}`;
  for (const topic of topics) await a.publish(topic, pushTo(topic, labelOf(topic)));
  for (const [bit, member] of members.entries()) {
    const what =
      'a server receives what is published on its topics, and nothing of any other topic';
    mustHave(what, member, wantedBy(bit).map(labelOf));
  }
}

export const deliveryChecks: readonly Check<TransportMember>[] = [
  threeServers('hands a message to every other server that is attached', async (a, b, c) => {
    const lobby = room('lobby');
    await Promise.all([b.attach(lobby), c.attach(lobby)]);
    await a.reach(2, lobby, pushTo(lobby, 'one'));
    await b.reach(1, lobby, pushTo(lobby, 'two'));
    mustHave('the second server receives it once', b, ['one']);
    mustHave('every other server receives it once', c, ['one', 'two']);
  }),

  threeServers('hands nothing to a server that is not attached', async (a, b, c) => {
    const lobby = room('lobby');
    await Promise.all([b.attach(lobby), c.attach(room('other'))]);
    await a.reach(1, lobby, pushTo(lobby, 'one'));
    await a.reach(1, room('other'), pushTo(room('other'), 'fence'));
    mustHave('a server receives only what it is attached to', c, ['fence']);
  }),

  twoServers('never delivers on the server that publishes', async (a, b) => {
    const acme = account('acme');
    await Promise.all([a.attach(acme), b.attach(acme)]);
    await a.reach(1, acme, pushTo(acme, 'own'));
    await b.reach(1, acme, pushTo(acme, 'fence'));
    mustHave('the publisher receives only what others publish', a, ['fence']);
    mustHave('the other server receives it', b, ['own']);
  }),

  growing('keeps topics of one name and different kinds apart', async (join) => {
    const [a, ...members] = await atOnce(join, 3);
    const topics = KINDS.map((kind): Topic => ({ kind, name: 'acme' }));
    await mustKeepApart(a!, members, topics);
  }),

  growing('keeps topics apart whatever their names contain', async (join) => {
    const [a, ...members] = await atOnce(join, 6);
    await mustKeepApart(a!, members, STRANGE_NAMES.map(account));
  }),

  twoServers('carries messages of every kind of topic', async (a, b) => {
    const topics = KINDS.flatMap((kind) => [
      { kind, name: 'acme' },
      { kind, name: 'x'.repeat(128) },
    ]);
    await b.attach(...topics);
    for (const topic of topics) await a.reach(1, topic, pushTo(topic, topic.kind));
    mustHave(
      'all of them arrive',
      b,
      topics.map(({ kind }) => kind),
    );
  }),

  twoServers('hands over messages of one topic in the order of the calls', async (a, b) => {
    const acme = account('acme');
    const names = numbered('n', BURST);
    await b.attach(acme);
    await burst(a, acme, names);
    mustHave(`${BURST} messages that are published at once arrive in their order`, b, names);
  }),

  twoServers('hands over what nobody wants a receipt for, in line with the rest', async (a, b) => {
    const acme = account('acme');
    const names = numbered('n', BURST);
    await Promise.all([a.attach(acme), b.attach(acme)]);
    const publishing = names.map((name, at) => {
      const push = pushTo(acme, name);
      return at % 2 === 0 ? a.publishUnseen(acme, push) : a.publish(acme, push);
    });
    await Promise.all(publishing);
    await b.untilReceived(BURST);
    mustHave('all of them arrive in their order', b, names);
    await b.reach(1, acme, pushTo(acme, 'fence'));
    mustHave('and none on the publisher', a, ['fence']);
  }),

  threeServers('carries what several servers publish at once', async (a, b, c) => {
    const lobby = room('lobby');
    const members = { a, b, c };
    await Promise.all([a.attach(lobby), b.attach(lobby), c.attach(lobby)]);
    const namesOf = (publisher: string): string[] => numbered(publisher, 100);
    const bursts = Object.entries(members).map(([name, one]) => burst(one, lobby, namesOf(name)));
    await Promise.all(bursts);
    for (const [name, member] of Object.entries(members)) {
      for (const publisher of Object.keys(members)) {
        mustEqual(
          'a server receives all messages of each other server in their order, and none of its own',
          member.names.filter((one) => one.startsWith(publisher)),
          name === publisher ? [] : namesOf(publisher),
        );
      }
    }
  }),
];
