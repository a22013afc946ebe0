import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { LoopWsException, OnLoopEvent } from '../../lib/index.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, Opcode, rawFrame, RawPeer } from '../support/raw-peer.js';
import { expectUndisturbed } from '../support/undisturbed.js';

class Chat {
  readonly seen: unknown[] = [];

  @OnLoopEvent('chat:say')
  say(data: unknown): unknown {
    this.seen.push(data);
    return data;
  }

  @OnLoopEvent('chat:strict')
  strict(data: unknown): unknown {
    this.seen.push(data);
    return data;
  }

  @OnLoopEvent('chat:refuse')
  refuse(details: string): never {
    throw new LoopWsException('no', 'Not now.', IMPOSSIBLE_DETAILS[details]);
  }

  @OnLoopEvent('chat:reply')
  reply(details: string): unknown {
    return IMPOSSIBLE_DETAILS[details];
  }
}

const circular: Record<string, unknown> = {};
circular.self = circular;

const IMPOSSIBLE_DETAILS: Readonly<Record<string, unknown>> = {
  circular,
  bigint: { n: 1n },
  getter: {
    get bad(): never {
      throw new Error('getter');
    },
  },
};

const STRICT = z.object({ text: z.string(), tags: z.array(z.string()).optional() });

let app: LoopApp;

beforeEach(async () => {
  app = await startLoopApp({
    providers: [Chat],
    options: { events: { 'chat:strict': STRICT }, config: { maxSubscriptions: 5 } },
  });
});

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
  jest.restoreAllMocks();
});

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

const withId = (fields: object) => JSON.stringify({ ...fields, id: 7 });
const sinceOf = (since: unknown) => withId({ op: 'subscribe', patterns: ['chat:*'], since });
const positionsOf = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`room:${n}`, '1.a']));
const rawData = (json: string) => `{"event":"chat:say","id":7,"data":${json}}`;

describe('P6: a frame that breaks the protocol gets one error frame and disturbs nobody:', () => {
  it.each<[string, string, string, (number | string)?]>([
    ['a text that is not JSON', '{"op":', 'not_json'],
    ['an empty text', '', 'not_json'],
    ['a byte order mark', '\ufeff{"op":"ping","id":7}', 'not_json'],
    ['NaN', '{"op":"ping","id":NaN}', 'not_json'],
    ['two documents', '{}{}', 'not_json'],
    ['a single quote from another world', "{'op':'ping'}", 'not_json'],
    ['null', 'null', 'bad_frame'],
    ['a list', '[{"op":"ping","id":7}]', 'bad_frame'],
    ['a number', '42', 'bad_frame'],
    ['a text', '"ping"', 'bad_frame'],
    ['an object without event and op', withId({ data: 1 }), 'bad_frame', 7],
    ['op null', withId({ op: null }), 'unknown_op', 7],
    ['an unknown op', withId({ op: 'shutdown' }), 'unknown_op', 7],
    ['op in capitals', withId({ op: 'PING' }), 'unknown_op', 7],
    ['an op that objects have', withId({ op: 'constructor' }), 'unknown_op', 7],
    ['the op __proto__', withId({ op: '__proto__' }), 'unknown_op', 7],
    ['an op of the server', withId({ op: 'welcome', accountId: 'root' }), 'unknown_op', 7],
    ['a forged reply', withId({ op: 'reply', data: 1 }), 'unknown_op', 7],
    ['an op that is a list', withId({ op: ['ping'] }), 'unknown_op', 7],
    ['an id that is null', '{"op":"ping","id":null}', 'bad_frame'],
    ['an id below zero', '{"op":"ping","id":-1}', 'bad_frame'],
    ['an id with a fraction', '{"op":"ping","id":1.5}', 'bad_frame'],
    ['an id above 2^53', '{"op":"ping","id":9007199254740993}', 'bad_frame'],
    ['an infinite id', '{"op":"ping","id":1e999}', 'bad_frame'],
    ['an empty id', '{"op":"ping","id":""}', 'bad_frame'],
    ['an id of 65 characters', JSON.stringify({ op: 'ping', id: 'x'.repeat(65) }), 'bad_frame'],
    ['an id that is an object', '{"op":"ping","id":{}}', 'bad_frame'],
    ['an event that is a number', withId({ event: 5 }), 'bad_frame', 7],
    ['an event that is null', withId({ event: null }), 'bad_frame', 7],
    ['an empty event', withId({ event: '' }), 'bad_name', 7],
    ['an event without a service', withId({ event: 'say' }), 'bad_name', 7],
    ['an event that is a pattern', withId({ event: 'chat:*' }), 'bad_name', 7],
    ['an event with a line break', withId({ event: 'chat:say\n' }), 'bad_name', 7],
    ['an event with an escape sequence', withId({ event: 'chat:\u001b[31m' }), 'bad_name', 7],
    ['an event with NUL', withId({ event: 'chat:say\u0000' }), 'bad_name', 7],
    ['an event of 129 characters', withId({ event: `chat:${'x'.repeat(124)}` }), 'bad_name', 7],
    ['an event of 50 KB', withId({ event: `chat:${'x'.repeat(50_000)}` }), 'bad_name', 7],
    ['an undeclared service', withId({ event: 'crm:say' }), 'unknown_service', 7],
    ['a service that objects have', withId({ event: 'constructor:name' }), 'unknown_service', 7],
    ['the service __proto__', withId({ event: '__proto__:toString' }), 'unknown_service', 7],
    ['an event without a handler', withId({ event: 'chat:sing' }), 'no_handler', 7],
    ['an event that objects have', withId({ event: 'chat:__proto__' }), 'no_handler', 7],
    ['subscribe without patterns', withId({ op: 'subscribe' }), 'bad_frame', 7],
    ['subscribe to no pattern', withId({ op: 'subscribe', patterns: [] }), 'bad_frame', 7],
    ['subscribe to a text', withId({ op: 'subscribe', patterns: '*:*' }), 'bad_frame', 7],
    ['subscribe to numbers', withId({ op: 'subscribe', patterns: [1] }), 'bad_frame', 7],
    [
      'subscribe to a likeness of a list',
      withId({ op: 'subscribe', patterns: { 0: '*:*', length: 1 } }),
      'bad_frame',
      7,
    ],
    ['since that is a number', sinceOf(5), 'bad_frame', 7],
    ['since that is null', sinceOf(null), 'bad_frame', 7],
    ['since that is a list', sinceOf([]), 'bad_frame', 7],
    ['since a position that is a number', sinceOf({ account: 5 }), 'bad_frame', 7],
    ['since a position that is null', sinceOf({ account: null }), 'bad_frame', 7],
    ['since 1 001 topics', sinceOf(positionsOf(1_001)), 'bad_frame', 7],
    ['unsubscribe without patterns', withId({ op: 'unsubscribe' }), 'bad_frame', 7],
    [
      'more patterns than a connection may hold',
      withId({ op: 'subscribe', patterns: Array.from({ length: 6 }, (_, n) => `chat:e${n}`) }),
      'too_many_subscriptions',
      7,
    ],
    ['auth without a token', withId({ op: 'auth' }), 'bad_frame', 7],
    ['auth with an empty token', withId({ op: 'auth', token: '' }), 'bad_frame', 7],
    ['auth for another account', withId({ op: 'auth', token: 'other-account' }), 'forbidden', 7],
    ['an answer without a question', withId({ op: 'answer' }), 'bad_frame', 7],
    ['an answer to a text', withId({ op: 'answer', ask: '1' }), 'bad_frame', 7],
    ['an answer to a negative question', withId({ op: 'answer', ask: -1 }), 'bad_frame', 7],
    ['an answer to a question nobody asked', '{"op":"answer","ask":99}', 'unknown_ask'],
    [
      'an answer with half an error',
      withId({ op: 'answer', ask: 1, error: { code: 1 } }),
      'bad_frame',
      7,
    ],
    ['31 levels inside data', rawData(JSON.stringify(nested(32))), 'too_deep', 7],
    ['10 000 brackets', rawData('['.repeat(10_000) + ']'.repeat(10_000)), 'too_deep', 7],
    ['objects 5 000 deep', rawData('{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000)), 'too_deep', 7],
    ['an own key __proto__', rawData('{"__proto__":{"isAdmin":true}}'), 'forbidden_key', 7],
    ['an escaped __proto__', rawData('{"\\u005f_proto__":{"isAdmin":true}}'), 'forbidden_key', 7],
    ['__proto__ far inside', rawData('[[{"a":[{"__proto__":1}]}]]'), 'forbidden_key', 7],
    ['__proto__ on the frame', '{"op":"ping","id":7,"__proto__":{"x":1}}', 'forbidden_key', 7],
    ['constructor.prototype', rawData('{"constructor":{"prototype":{"x":1}}}'), 'forbidden_key', 7],
    [
      'a payload that its schema refuses',
      withId({ event: 'chat:strict', data: { text: 5 } }),
      'invalid_payload',
      7,
    ],
    ['no payload where a schema wants one', withId({ event: 'chat:strict' }), 'invalid_payload', 7],
  ])('%s', async (_what, text, code, ...[id]) => {
    const [peer, other] = [await RawPeer.open(app.port), await RawPeer.open(app.port)];
    peer.send(rawFrame(text));
    const error = await peer.next('an error', ({ op }) => op === 'error');
    expect(error).toMatchObject({ op: 'error', code, message: expect.any(String) });
    expect('id' in error ? error.id : undefined).toBe(id);
    expect(JSON.stringify(error).length).toBeLessThan(500);
    expect(app.get(Chat).seen).toEqual([]);
    await expectUndisturbed(app, peer, other);
    expect(peer.texts.filter(({ op }) => op === 'error')).toHaveLength(1);
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
  });

  it('a binary frame, even one that holds a good frame', async () => {
    const [peer, other] = [await RawPeer.open(app.port), await RawPeer.open(app.port)];
    const good = JSON.stringify({ event: 'chat:say', data: 1, id: 7 });
    peer.send(rawFrame(good, { opcode: Opcode.Binary }));
    const error = await peer.next('an error', ({ op }) => op === 'error');
    expect(error).toMatchObject({ code: 'binary_frame' });
    expect(app.get(Chat).seen).toEqual([]);
    await expectUndisturbed(app, peer, other);
  });

  it('an event without an id is still told its error', async () => {
    const peer = await RawPeer.open(app.port);
    peer.sendText({ event: 'chat:sing', data: 1 });
    const error = await peer.next('an error', ({ op }) => op === 'error');
    expect(error).toEqual({ op: 'error', code: 'no_handler', message: expect.any(String) });
  });

  it('a schema says where it hurts, and neither class names nor paths of our files', async () => {
    const peer = await RawPeer.open(app.port);
    peer.sendText({ event: 'chat:strict', data: { text: 'x', tags: ['a', 5] }, id: 1 });
    const error = await peer.next('an error', ({ op }) => op === 'error');
    expect(error).toMatchObject({ code: 'invalid_payload', details: [{ path: ['tags', '1'] }] });
    expect(JSON.stringify(error)).not.toMatch(/Zod|node_modules|\.ts|stack/);
  });
});

describe('what is strange but allowed reaches the handler as JSON says:', () => {
  it.each<[string, string, unknown]>([
    ['30 levels inside data', JSON.stringify(nested(31)), nested(31)],
    ['a repeated key: the last wins', '{"a":1,"a":2}', { a: 2 }],
    ['a number above 2^53: rounded', '9007199254740993', 9_007_199_254_740_992],
    ['1e999: infinite', '1e999', Infinity],
    ['half a surrogate pair', '"\\ud800"', '\ud800'],
    ['NUL', '"\\u0000"', '\u0000'],
    ['10 000 keys', JSON.stringify(manyKeys(5_000)), manyKeys(5_000)],
    ['the key constructor alone', '{"constructor":"Ford"}', { constructor: 'Ford' }],
  ])('%s', async (_what, json, expected) => {
    const [peer, other] = [await RawPeer.open(app.port), await RawPeer.open(app.port)];
    peer.send(rawFrame(rawData(json)));
    await peer.next('a reply', ({ op }) => op === 'reply');
    expect(app.get(Chat).seen).toEqual([expected]);
    await expectUndisturbed(app, peer, other);
  });
});

describe('P6: what a handler throws or returns, and JSON cannot say,', () => {
  it.each(Object.keys(IMPOSSIBLE_DETAILS))('becomes one error frame: %s', async (kind) => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const [peer, other] = [await RawPeer.open(app.port), await RawPeer.open(app.port)];
    peer.sendText({ event: 'chat:refuse', data: kind, id: 1 });
    peer.sendText({ event: 'chat:reply', data: kind, id: 2 });
    for (const id of [1, 2]) {
      const error = await peer.next('an error', (frame) => 'id' in frame && frame.id === id);
      expect(error).toMatchObject({ op: 'error', code: 'internal' });
    }
    await expectUndisturbed(app, peer, other);
  });
});

function manyKeys(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));
}
