import type { Topic, TransportMessage } from '../../../lib/index.js';
import {
  decodeEnvelope,
  encodeHeader,
  encodeLetter,
  type Letter,
} from '../../../lib/transport/redis/envelope.codec.js';

const ACCOUNT: Topic = { kind: 'account', name: 'acme' };
const NOW = 1_000_000;

const MESSAGES: readonly (readonly [string, Topic, TransportMessage])[] = [
  [
    'a push to a connection with everything',
    ACCOUNT,
    {
      kind: 'push',
      target: { kind: 'connection', accountId: 'acme', connectionId: 'ä"\u0000' },
      name: 'chat:n',
      frame: '{"event":"chat:n","data":"😀"}',
      ttlMs: 500,
      id: '',
      except: ['one', { accountId: 'acme', connectionId: 'two' }],
    },
  ],
  [
    'a push to a room',
    { kind: 'room', name: 'lobby' },
    {
      kind: 'push',
      target: { kind: 'room', room: 'lobby' },
      name: 'chat:n',
      frame: '{}',
      ttlMs: 500,
    },
  ],
  [
    'a push to a channel',
    { kind: 'service', name: 'chat' },
    { kind: 'push', target: { kind: 'channel' }, name: 'chat:n', frame: '{}', ttlMs: 500 },
  ],
  [
    'a question without data',
    ACCOUNT,
    {
      kind: 'ask',
      connection: { accountId: 'acme', connectionId: 'phone' },
      name: 'device:status',
      data: undefined,
      timeoutMs: 500,
    },
  ],
  [
    'an order to close one connection',
    ACCOUNT,
    { kind: 'disconnect', accountId: 'acme', connectionId: 'phone', code: 4503, reason: '' },
  ],
  [
    'the order of a successor',
    ACCOUNT,
    { kind: 'replace', accountId: 'acme', registration: 'r', ageMs: 0.5 },
  ],
];

const letterOf = (message: TransportMessage, request = 7): Letter => ({
  request,
  deadline: NOW + 500,
  lifetimeMs: 500,
  message,
});

const encoded = (...letters: readonly Letter[]): Buffer =>
  Buffer.concat([encodeHeader('server'), ...letters.map(encodeLetter)]);

describe('the envelope of a message between servers', () => {
  it.each(MESSAGES)('carries %s', (_what, topic, message) => {
    const letters = [letterOf(message)];
    expect(decodeEnvelope(encoded(...letters), topic, NOW)).toEqual({ origin: 'server', letters });
  });

  it('carries several in their order', () => {
    const ofAccount = MESSAGES.filter(([, topic]) => topic === ACCOUNT);
    const letters = ofAccount.map(([, , message], at) => letterOf(message, at));
    const { letters: read } = decodeEnvelope(encoded(...letters), ACCOUNT, NOW)!;
    expect(read).toEqual(letters);
    expect(read).toHaveLength(4);
  });

  it('P4: hands over what is left of the time, also when nothing is', () => {
    const [, topic, message] = MESSAGES[2]!;
    const late = decodeEnvelope(encoded(letterOf(message)), topic, NOW + 800);
    expect(late?.letters[0]?.message).toMatchObject({ ttlMs: -300 });
  });

  it('P4: hands over no more time than was given, whatever the clocks say', () => {
    const [, topic, message] = MESSAGES[2]!;
    const early = decodeEnvelope(encoded(letterOf(message)), topic, NOW - 300);
    expect(early?.letters[0]?.message).toMatchObject({ ttlMs: 500 });
  });

  it('of another version is not read', () => {
    const [, topic, message] = MESSAGES[2]!;
    const bytes = encoded(letterOf(message));
    bytes[0] = 2;
    expect(decodeEnvelope(bytes, topic, NOW)).toBeUndefined();
  });

  it.each(MESSAGES)('cut short at any byte is refused: %s', (_what, topic, message) => {
    const bytes = encoded(letterOf(message));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeEnvelope(bytes.subarray(0, length), topic, NOW)).toThrow(
        /outside buffer bounds|out of range|cut short/,
      );
    }
  });
});
