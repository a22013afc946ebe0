import type { AskMessage, ServerReply } from '../../transport/transport-message.js';
import { type Check, oneServer, threeServers, twoServers } from './check.js';
import { gate } from './gate.js';
import { must, mustEqual } from './must.js';
import { numbered } from './names.js';
import {
  account,
  mustHave,
  ONE_DELIVERED,
  pushTo,
  room,
  type TransportMember,
} from './transport-member.js';

/** How long a publish may wait for a server that never answers. */
const SHORT_MS = 150;

/** Timers of Node round, and so does the clock that they are compared with. */
const ROUNDING_MS = 2;

const ANSWERED: ServerReply = {
  delivered: 1,
  filtered: 0,
  failed: 0,
  answer: { ok: true, data: '{"text":"gr\u00fc\u00dfe \\"🦊\\""}' },
};

const ANSWERED_WITHOUT_DATA: ServerReply = { ...ANSWERED, answer: { ok: true, data: undefined } };

const REFUSED: ServerReply = {
  delivered: 1,
  filtered: 0,
  failed: 0,
  answer: { ok: false, error: { code: 'busy', message: 'sp\u00e4ter: "🦊"' } },
};

const question: AskMessage = {
  kind: 'ask',
  connection: { accountId: 'acme', connectionId: 'phone' },
  name: 'device:status',
  data: undefined,
  timeoutMs: 30_000,
};

const never = (): Promise<ServerReply> => new Promise(() => {});

export const receiptChecks: readonly Check<TransportMember>[] = [
  oneServer('nobody is attached: none is expected, at once', async (a) => {
    const receipt = await a.publishAtOnce(account('acme'), pushTo(account('acme'), 'one'));
    mustEqual('without other servers none had to answer', receipt, { expected: 0, replies: [] });
  }),

  oneServer('only the publisher is attached: none is expected, at once', async (a) => {
    await a.attach(room('lobby'));
    const receipt = await a.publishAtOnce(room('lobby'), pushTo(room('lobby'), 'one'));
    mustEqual('the publisher itself is not counted', receipt, { expected: 0, replies: [] });
    mustHave('nor does it receive what it published', a, []);
  }),

  threeServers(
    'others are attached to other topics: none is expected, at once',
    async (a, b, c) => {
      await Promise.all([b.attach(room('other')), c.attach(account('lobby'))]);
      const receipt = await a.publishAtOnce(room('lobby'), pushTo(room('lobby'), 'one'));
      mustEqual('nobody had to answer', receipt, { expected: 0, replies: [] });
    },
  ),

  threeServers('gathers the reply of every other server', async (a, b, c) => {
    const acme = account('acme');
    const replies: ServerReply[] = [
      { delivered: 3, filtered: 2, failed: 1 },
      { delivered: 0, filtered: 0, failed: 0 },
    ];
    await Promise.all([a.attach(acme), b.attach(acme), c.attach(acme)]);
    b.reply = () => replies[0]!;
    c.reply = () => replies[1]!;
    const receipt = await a.publish(acme, pushTo(acme, 'one'));
    const seen = receipt.replies.toSorted((one, other) => other.delivered - one.delivered);
    mustEqual('two had to answer', receipt.expected, 2);
    mustEqual('their replies are in the receipt as they gave them', seen, replies);
  }),

  twoServers('hands back what a client answered', async (a, b) => {
    const acme = account('acme');
    await b.attach(acme);
    for (const reply of [ANSWERED, ANSWERED_WITHOUT_DATA, REFUSED]) {
      b.reply = async () => reply;
      const receipt = await a.publish(acme, question);
      mustEqual('the answer is unchanged', receipt, { expected: 1, replies: [reply] });
    }
  }),

  twoServers('gives each of many open messages its own reply', async (a, b) => {
    const acme = account('acme');
    const open: (() => void)[] = [];
    await b.attach(acme);
    b.reply = () => {
      const delivered = b.received.length;
      return new Promise((resolve) => open.push(() => resolve({ ...ONE_DELIVERED, delivered })));
    };
    const receipts = numbered('n', 200).map((name) => a.publish(acme, pushTo(acme, name)));
    await b.untilReceived(200);
    for (const answer of open.toReversed()) answer();
    const counts = (await Promise.all(receipts)).map(({ replies }) => replies[0]?.delivered);
    const wanted = Array.from({ length: 200 }, (_, at) => at + 1);
    mustEqual('each message has the reply that was given to it', counts, wanted);
  }),

  threeServers('waits for a server that takes its time', async (a, b, c) => {
    const [acme, other] = [account('acme'), account('other')];
    const slow = pushTo(acme, 'slow');
    const held = gate();
    await Promise.all([b.attach(acme), c.attach(acme, other)]);
    c.reply = async (message) => {
      if (message.kind === 'push' && message.name === slow.name) await held.opened;
      return ONE_DELIVERED;
    };
    let isSettled = false;
    const publishing = a.publish(acme, slow).finally(() => (isSettled = true));
    await Promise.all([b.untilReceived(1), c.untilReceived(1)]);
    await a.reach(1, other, pushTo(other, 'fence'));
    must('publish waits for everyone who had to answer', !isSettled, 'it settled before');
    held.open();
    mustEqual('both had to answer, and did', (await publishing).replies.length, 2);
  }),

  twoServers('a message that is not answered yet holds up none behind it', async (a, b) => {
    const acme = account('acme');
    const held = gate();
    await b.attach(acme);
    b.reply = async ({ kind }) =>
      kind === 'ask' ? held.opened.then(() => ANSWERED) : ONE_DELIVERED;
    const asking = a.publish(acme, question);
    await a.reach(1, acme, pushTo(acme, 'behind it'));
    held.open();
    mustEqual('the question was answered later', (await asking).replies, [ANSWERED]);
  }),

  threeServers('settles within timeoutMs when a server never answers', async (a, b, c) => {
    const acme = account('acme');
    await Promise.all([b.attach(acme), c.attach(acme)]);
    c.reply = never;
    const startedAt = performance.now();
    const receipt = await a.publish(acme, pushTo(acme, 'one'), SHORT_MS);
    const tookMs = performance.now() - startedAt;
    mustEqual('the missing one is expected and not replied; the other reply is there', receipt, {
      expected: 2,
      replies: [ONE_DELIVERED],
    });
    must('publish waits its timeout for it', tookMs >= SHORT_MS - ROUNDING_MS, tookMs);
  }),

  twoServers('an answer that comes too late belongs to no other message', async (a, b) => {
    const acme = account('acme');
    const held = gate();
    await b.attach(acme);
    b.reply = async () => held.opened.then(() => ({ ...ONE_DELIVERED, delivered: 9 }));
    const receipt = await a.publish(acme, pushTo(acme, 'one'), SHORT_MS);
    mustEqual('nobody answered in time', receipt, { expected: 1, replies: [] });
    const next = gate();
    b.reply = async () => next.opened.then(() => ONE_DELIVERED);
    const publishing = a.publish(acme, pushTo(acme, 'two'));
    await b.untilReceived(2);
    held.open();
    b.reply = () => ONE_DELIVERED;
    await a.reach(1, acme, pushTo(acme, 'fence'));
    next.open();
    mustEqual('the second message has its own reply', await publishing, {
      expected: 1,
      replies: [ONE_DELIVERED],
    });
  }),
];
