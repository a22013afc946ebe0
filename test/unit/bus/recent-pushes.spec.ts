import { RecentPushes } from '../../../lib/bus/recent-pushes.js';
import type {
  PushMessage,
  PushTarget,
  ServerReply,
} from '../../../lib/transport/transport-message.js';

const WINDOW_MS = 1_000;
const MAX_IDS = 3;
const ACCOUNT: PushTarget = { kind: 'account', accountId: 'acme' };

let now: number;
let recent: RecentPushes;

beforeEach(() => {
  now = 0;
  recent = new RecentPushes(WINDOW_MS, MAX_IDS, () => now);
});

/** Whether the push is delivered, and not taken for a repetition. */
function isDelivered(push: Partial<PushMessage>, delivered = 1): boolean {
  let wasCalled = false;
  recent.once(pushOf(push), () => {
    wasCalled = true;
    return replyOf(delivered);
  });
  return wasCalled;
}

function pushOf(push: Partial<PushMessage>): PushMessage {
  return { kind: 'push', target: ACCOUNT, name: 'chat:n', frame: '{}', ttlMs: 1_000, ...push };
}

function replyOf(delivered: number): ServerReply {
  return { delivered, filtered: 0, failed: 0 };
}

describe('P2: a push that is repeated under its id', () => {
  it('is answered as the first was, and is not delivered', () => {
    recent.once(pushOf({ id: 'a' }), () => replyOf(7));
    const reply = recent.once(pushOf({ id: 'a' }), () => replyOf(1));
    expect(reply).toEqual(replyOf(7));
  });

  it('is delivered again after the window, which begins with the first', () => {
    expect(isDelivered({ id: 'a' })).toBe(true);
    now = WINDOW_MS - 1;
    expect(isDelivered({ id: 'a' })).toBe(false);
    now = WINDOW_MS;
    expect(isDelivered({ id: 'a' })).toBe(true);
  });

  it('is delivered again when so many other ids came since: the oldest is forgotten first', () => {
    for (const id of ['a', 'b', 'c', 'd']) expect(isDelivered({ id })).toBe(true);
    for (const id of ['b', 'c', 'd']) expect(isDelivered({ id })).toBe(false);
    expect(isDelivered({ id: 'a' })).toBe(true);
  });

  it('is known as long as there is room for it, and other repetitions take none', () => {
    for (const id of ['a', 'b', 'c']) isDelivered({ id });
    for (const id of ['c', 'c', 'b', 'a']) expect(isDelivered({ id })).toBe(false);
  });

  it('is delivered when the first reached nobody', () => {
    expect(isDelivered({ id: 'a' }, 0)).toBe(true);
    expect(isDelivered({ id: 'a' })).toBe(true);
    expect(isDelivered({ id: 'a' })).toBe(false);
  });

  it('is not published to a channel again, though no connection got the first: server code may have', () => {
    const push: Partial<PushMessage> = { id: 'a', target: { kind: 'channel' } };
    expect(isDelivered(push, 0)).toBe(true);
    expect(isDelivered(push)).toBe(false);
  });
});

describe('P2: a push is another one', () => {
  const FIRST: Partial<PushMessage> = { id: 'a' };

  it.each<[string, Partial<PushMessage>]>([
    ['with another name', { ...FIRST, name: 'chat:m' }],
    ['to another account', { ...FIRST, target: { kind: 'account', accountId: 'other' } }],
    ['to a room of the same name', { ...FIRST, target: { kind: 'room', room: 'acme' } }],
    [
      'to one connection of the account',
      { ...FIRST, target: { kind: 'connection', accountId: 'acme', connectionId: 'phone' } },
    ],
    ['without an id', {}],
  ])('%s', (_how, push) => {
    isDelivered(FIRST);
    expect(isDelivered(push)).toBe(true);
  });

  it('each time that it has no id', () => {
    expect([isDelivered({}), isDelivered({})]).toEqual([true, true]);
  });
});
