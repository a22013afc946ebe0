import { completeIdentity, isSafeId } from '../../../../lib/gateway/request/identity.js';
import {
  offeredSubprotocols,
  toLoopRequest,
  withToken,
} from '../../../../lib/gateway/request/loop-request.js';
import type { LoopIdentity } from '../../../../lib/index.js';

const request = (url: string, headers = {}) =>
  toLoopRequest({ url, headers, socket: { remoteAddress: '::1' } });

describe('isSafeId', () => {
  it.each([
    'a',
    'a:b',
    '*',
    '[x]',
    '__proto__',
    'é',
    'e\u0301',
    '😀',
    ' ',
    'x'.repeat(128),
    '../../etc',
    "'",
  ])('takes %j as an ordinary text', (id) => {
    expect(isSafeId(id, 128)).toBe(true);
  });

  it.each([
    '',
    'x'.repeat(129),
    'a\nb',
    'a\rb',
    'a\tb',
    '\u0000',
    '\u001b[31m',
    '\u007f',
    '\u009b',
    '\ud800',
    '\udc00x',
    42,
    null,
    undefined,
    {},
    ['a'],
    true,
    1n,
  ])('refuses %#', (id) => {
    expect(isSafeId(id, 128)).toBe(false);
  });
});

describe('completeIdentity', () => {
  const complete = (found: LoopIdentity, url = '/ws') => completeIdentity(found, request(url), 128);

  it('takes the connection id of authenticate, else of the query, else a random one', () => {
    const url = '/ws?connectionId=from-query';
    expect(complete({ accountId: 'a', connectionId: 'given' }, url).connectionId).toBe('given');
    expect(complete({ accountId: 'a' }, url).connectionId).toBe('from-query');
    const random = [complete({ accountId: 'a' }), complete({ accountId: 'a' })];
    expect(random[0]!.connectionId).toMatch(/^[\da-f-]{36}$/);
    expect(random[0]!.connectionId).not.toBe(random[1]!.connectionId);
  });

  it('freezes a copy of the claims', () => {
    const claims = { role: 'admin' };
    const identity = complete({ accountId: 'a', claims });
    claims.role = 'root';
    expect(identity.claims).toEqual({ role: 'admin' });
    expect(Object.isFrozen(identity.claims)).toBe(true);
  });

  it('reads an expiry from a Date or a number', () => {
    expect(complete({ accountId: 'a', expiresAt: new Date(5) }).expiresAt).toBe(5);
    expect(complete({ accountId: 'a', expiresAt: 5 }).expiresAt).toBe(5);
    expect(complete({ accountId: 'a' }).expiresAt).toBeUndefined();
  });

  it.each([
    { accountId: 42 },
    { accountId: 42n },
    { accountId: '' },
    { accountId: 'a\n' },
    { accountId: 'a', connectionId: '' },
    { accountId: 'a', connectionId: 'x'.repeat(10_000) },
    { accountId: 'a', expiresAt: new Date('never') },
    { accountId: 'a', expiresAt: Infinity },
  ])('refuses %#, with a sentence on one line and of bounded length', (found) => {
    const attempt = () => complete(found as LoopIdentity);
    expect(attempt).toThrow(/authenticate returned/);
    const message = messageOf(attempt);
    expect(message).not.toMatch(/[\r\n]/);
    expect(message.length).toBeLessThan(300);
  });
});

describe('toLoopRequest', () => {
  it('keeps the whole query, further question marks included', () => {
    expect(request('/ws?a=1?2&b=3').query.get('a')).toBe('1?2');
    expect(request('/ws?a=1?2&b=3').query.get('b')).toBe('3');
    expect([...request('/ws').query]).toEqual([]);
    expect(request('/ws?%zz=%').query.get('%zz')).toBe('%');
  });

  it.each<[object, string | undefined]>([
    [{ authorization: 'Bearer abc' }, 'abc'],
    [{ authorization: 'bearer   abc' }, 'abc'],
    [{ authorization: 'Basic abc' }, undefined],
    [{ authorization: 'Bearer' }, undefined],
    [{ authorization: 'Bearer a b' }, undefined],
    [{ 'sec-websocket-protocol': 'loopws.v1, bearer.abc' }, 'abc'],
    [{ 'sec-websocket-protocol': 'bearer.a.b.c' }, 'a.b.c'],
    [{ 'sec-websocket-protocol': 'loopws.v1' }, undefined],
    [{ authorization: 'Bearer header', 'sec-websocket-protocol': 'bearer.other' }, 'header'],
    [{}, undefined],
  ])('finds the token of %j: %s', (headers, token) => {
    expect(request('/ws', headers).token).toBe(token);
  });

  it('with another token shows the old one nowhere', () => {
    const old = request('/ws', {
      authorization: 'Bearer old',
      'sec-websocket-protocol': 'loopws.v1, bearer.old',
    });
    const fresh = withToken(old, 'new');
    expect(fresh.token).toBe('new');
    expect(JSON.stringify(fresh)).not.toContain('old');
    expect(fresh.headers.authorization).toBe('Bearer new');
  });

  it('reads the offered subprotocols in their order', () => {
    expect(offeredSubprotocols({ 'sec-websocket-protocol': ' a ,b,, c' })).toEqual(['a', 'b', 'c']);
    expect(offeredSubprotocols({})).toEqual([]);
  });
});

function messageOf(attempt: () => unknown): string {
  try {
    attempt();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
