import type { Topic } from '../../transport/topic.js';
import type {
  AskMessage,
  DisconnectMessage,
  PushMessage,
  TransportMessage,
} from '../../transport/transport-message.js';
import { type Check, twoServers } from './check.js';
import { must, mustEqual } from './must.js';
import { account, pushTo, room, type TransportMember } from './transport-member.js';

const TTL_MS = 60_000;

const acme = account('acme');
const lobby = room('lobby');
const billing: Topic = { kind: 'service', name: 'billing' };

const push: PushMessage = pushTo(acme, 'billing:invoice.paid');

const phone: PushMessage = {
  ...push,
  target: { kind: 'connection', accountId: 'acme', connectionId: 'caf\u00e9:"🦊"' },
};

const ask: AskMessage = {
  kind: 'ask',
  connection: { accountId: 'acme', connectionId: 'caf\u00e9:"🦊"' },
  name: 'device:status',
  data: '{"text":"gr\u00fc\u00dfe \\"🦊\\""}',
  timeoutMs: TTL_MS,
};

const disconnect: DisconnectMessage = {
  kind: 'disconnect',
  accountId: 'acme',
  code: 4503,
  reason: 'gr\u00fc\u00dfe 🦊',
};

const MESSAGES: readonly (readonly [string, Topic, TransportMessage])[] = [
  ['a push to an account', acme, push],
  ['a push to a connection', acme, phone],
  ['a push to a room', lobby, pushTo(lobby, 'chat:message')],
  ['a push to a channel', billing, pushTo(billing, 'billing:invoice.paid')],
  [
    'a frame of any text',
    acme,
    { ...push, frame: '{"d":"\\u0000\\n\u2028\u00e9 e\u0301 ﷽ 🦊👩‍👩‍👧 \\ud800"}' },
  ],
  ['a frame that is empty', acme, { ...push, frame: '' }],
  ['a frame of 1 MB', acme, { ...push, frame: `"${'\u00e9🦊x'.repeat(262_144)}"` }],
  ['the id of a push', acme, { ...push, id: 'order:{1} 🦊' }],
  ['an empty id of a push', acme, { ...push, id: '' }],
  [
    'whom a push leaves out',
    acme,
    { ...push, except: ['tab:1', { accountId: 'b "x"', connectionId: '🦊' }] },
  ],
  ['a list of nobody to leave out', acme, { ...push, except: [] }],
  ['a question', acme, ask],
  ['a question without data', acme, { ...ask, data: undefined }],
  ['a question with empty data', acme, { ...ask, data: '""' }],
  ['a disconnect of an account', acme, disconnect],
  ['a disconnect of a connection', acme, { ...disconnect, connectionId: 'tab:{1} 🦊' }],
  ['a disconnect without reason', acme, { ...disconnect, reason: '' }],
  [
    'the order of a successor',
    acme,
    { kind: 'replace', accountId: 'acme', registration: '7b0e:1', ageMs: 0.5 },
  ],
];

/** What changes on the way is how long there still is. */
function withoutTime(message: TransportMessage | undefined): unknown {
  if (message?.kind === 'push') return { ...message, ttlMs: 0 };
  return message?.kind === 'ask' ? { ...message, timeoutMs: 0 } : message;
}

const unchanged = MESSAGES.map(([what, topic, message]) =>
  twoServers<TransportMember>(`carries unchanged: ${what}`, async (a, b) => {
    await b.attach(topic);
    await a.reach(1, topic, message);
    mustEqual(`${what} arrives as it was`, b.received.map(withoutTime), [withoutTime(message)]);
  }),
);

async function timeLeft(
  a: TransportMember,
  b: TransportMember,
  message: TransportMessage,
): Promise<readonly number[]> {
  await b.attach(acme);
  for (let sent = 0; sent < 20; sent++) await a.reach(1, acme, message);
  return b.received.map(
    (one) => (one as { ttlMs?: number }).ttlMs ?? (one as AskMessage).timeoutMs,
  );
}

function mustBeLeft(what: string, left: readonly number[]): void {
  must(what, left.length === 20 && left.every((ms) => ms > 0 && ms <= TTL_MS), left);
}

export const contentChecks: readonly Check<TransportMember>[] = [
  ...unchanged,

  twoServers('a push arrives with what is left of its ttlMs', async (a, b) => {
    mustBeLeft(`more than 0 and at most the ${TTL_MS} that were given`, await timeLeft(a, b, push));
  }),

  twoServers('a question arrives with what is left of its timeoutMs', async (a, b) => {
    mustBeLeft(`more than 0 and at most the ${TTL_MS} that were given`, await timeLeft(a, b, ask));
  }),
];
