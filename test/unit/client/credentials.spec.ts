import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  createAuthentication,
  renewalWaitMs,
  type TokenSource,
} from '../../../lib/client/authentication.js';
import type { Answer } from '../../../lib/client/calls.js';
import { rejection, ScriptedServer } from './scripted-server.js';

describe('credentials', () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.stop());

  it('offers the token as a second subprotocol, since browsers cannot set headers', async () => {
    server.client({ token: 'abc.DEF-1_2' });

    expect((await server.nextPeer()).offered).toEqual(['loopws.v1', 'bearer.abc.DEF-1_2']);
  });

  it('offers the protocol alone when there is no token', async () => {
    server.client();

    expect((await server.nextPeer()).offered).toEqual(['loopws.v1']);
  });

  it('asks a token function again for each connect', async () => {
    let asked = 0;
    const { nextState } = server.client({ token: async () => `token-${++asked}` });
    const first = await server.nextPeer();
    first.close(1001);
    await nextState('waiting');
    const second = await server.nextPeer();

    expect([first.offered[1], second.offered[1]]).toEqual(['bearer.token-1', 'bearer.token-2']);
  });

  it('reports a token function that fails, and tries again later', async () => {
    let asked = 0;
    const { nextState, nextError } = server.client({
      token: () => {
        if (++asked === 1) throw new Error('The login service is down.');
        return 'token';
      },
    });

    expect((await nextError('connect_failed')).message).toContain('The login service is down.');
    expect(await nextState('waiting')).toMatchObject({ code: 1006 });
    await nextState('open');
  });

  it('does not wait for ever for a token', async () => {
    let asked = 0;
    const never = new Promise<string>(() => {});
    const { nextState } = server.client({
      token: () => (++asked === 1 ? never : 'token'),
      connectTimeoutMs: 30,
    });

    expect(await nextState('waiting')).toMatchObject({ code: 4408 });
    await nextState('open');
  });

  it('opens no socket when it was closed while the token was on its way', async () => {
    let give: (token: string) => void = () => {};
    const { loop } = server.client({ token: () => new Promise((resolve) => (give = resolve)) });
    loop.close();
    give('token');

    await server.client().loop.ready();
    await server.client().loop.ready();
    expect(server.attempts.all).toHaveLength(2);
  });

  it('says which characters a token cannot have', async () => {
    const { nextError } = server.client({ token: 'a/b=', random: () => 1 });

    expect((await nextError('connect_failed')).message).toContain('base64url');
  });

  it('refreshes its credentials in place, and uses them for later connections', async () => {
    const { loop, nextState } = server.client({ token: 'old' });
    const first = await server.nextPeer();
    await loop.authenticate('new');
    expect((await first.next('auth')).token).toBe('new');

    first.close(1001);
    await nextState('waiting');
    expect((await server.nextPeer()).offered[1]).toBe('bearer.new');
  });

  it('asks the token option when it is told to authenticate without a token', async () => {
    const { loop } = server.client({ token: () => 'fresh' });
    const peer = await server.nextPeer();
    await loop.authenticate();
    expect((await peer.next('auth')).token).toBe('fresh');

    expect((await rejection(server.client().loop.authenticate())).message).toContain(
      'There is no token',
    );
  });

  it('rejects when the server refuses the new credentials', async () => {
    server.react = ({ op, id = 0 }, peer) => {
      if (op === 'auth') peer.send({ op: 'error', id, code: 'unauthorized', message: 'No.' });
    };
    const { loop } = server.client();

    expect((await rejection(loop.authenticate('bad'))).code).toBe('unauthorized');
  });

  it.each([
    ['unauthorized', 'bearer.good'],
    ['forbidden', 'bearer.good'],
    ['unavailable', 'bearer.new'],
  ])('after the answer "%s" to new credentials connects with %s', async (code, offered) => {
    server.react = ({ op, id = 0 }, peer) => {
      if (op === 'auth') peer.send({ op: 'error', id, code, message: 'No.' });
    };
    const { loop, nextState } = server.client({ token: 'good' });
    const first = await server.nextPeer();
    await rejection(loop.authenticate('new'));

    first.close(1001);
    await nextState('waiting');
    expect((await server.nextPeer()).offered[1]).toBe(offered);
  });

  it('goes back to the last token that was taken when two in a row are refused', async () => {
    server.react = ({ op, id = 0, token }, peer) => {
      if (op !== 'auth') return;
      if (token === 'better') return peer.send({ op: 'ok', id });
      peer.send({ op: 'error', id, code: 'unauthorized', message: 'No.' });
    };
    const { loop, nextState } = server.client({ token: 'good' });
    const first = await server.nextPeer();
    await loop.authenticate('better');
    await Promise.all([rejection(loop.authenticate('bad')), rejection(loop.authenticate('worse'))]);

    first.close(1001);
    await nextState('waiting');
    expect((await server.nextPeer()).offered[1]).toBe('bearer.better');
  });

  it('renews a token by itself before it expires, and again before the next expiry', async () => {
    let asked = 0;
    server.welcome = { expiresInMs: 300 };
    server.react = ({ op, id = 0 }, peer) => {
      if (op === 'auth') peer.send({ op: 'ok', id, expiresInMs: 300 });
    };
    server.client({ token: () => `token-${++asked}` });
    const peer = await server.nextPeer();

    expect((await peer.next('auth')).token).toBe('token-2');
    expect((await peer.next('auth')).token).toBe('token-3');
  });

  it('reports a renewal that failed, and tries again while there is time', async () => {
    let asked = 0;
    server.welcome = { expiresInMs: 400 };
    const { nextError } = server.client({
      token: () => {
        if (++asked === 2) throw new Error('The login service is down.');
        return `token-${asked}`;
      },
    });
    const peer = await server.nextPeer();

    expect((await nextError('handler_failed')).message).toContain('The login service is down.');
    expect((await peer.next('auth')).token).toBe('token-3');
  });

  it('does not try to renew a token that is a text', async () => {
    server.welcome = { expiresInMs: 1 };
    const { loop } = server.client({ token: 'text' });
    const peer = await server.nextPeer();

    await rejection(loop.request('a:b', 0, { timeoutMs: 300 }));

    expect(peer.frames.all.map(({ op, event }) => op ?? event)).toEqual(['a:b']);
  });

  it('asks for no more tokens once it is closed', async () => {
    let asked = 0;
    server.welcome = { expiresInMs: 1 };
    const { loop } = server.client({ token: () => `token-${++asked}` });
    await loop.ready();

    loop.close();

    await rejection(server.client().loop.request('a:b', 0, { timeoutMs: 300 }));
    expect(asked).toBe(1);
  });

  it('renews a fifth of the lifetime before the expiry, at most five minutes, never in a tight loop', () => {
    expect(renewalWaitMs(10_000)).toBe(8_000);
    expect(renewalWaitMs(3_600_000)).toBe(3_300_000);
    expect(renewalWaitMs(0)).toBe(250);
  });
});

describe('a renewal', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const HOUR_MS = 3_600_000;
  const RENEWAL_MS = renewalWaitMs(HOUR_MS);

  function authentication(source: TokenSource) {
    const sent: string[] = [];
    const failures: unknown[] = [];
    const answers: ((answer: Answer) => void)[] = [];
    const made = createAuthentication(
      source,
      (frame) => {
        sent.push((frame as { token: string }).token);
        return new Promise((resolve) => answers.push(resolve));
      },
      () => {},
      (error) => void failures.push(error),
    );
    const answer = () => answers.shift()?.({ op: 'ok', id: 1, expiresInMs: HOUR_MS });
    return { made, sent, failures, answer };
  }

  it('whose token function hangs is tried again', async () => {
    let asked = 0;
    const never = new Promise<string>(() => {});
    const { made, sent, failures } = authentication(() => (++asked === 1 ? never : 'fresh'));
    made.open(HOUR_MS);
    await jest.advanceTimersByTimeAsync(RENEWAL_MS + 10_000);
    expect(failures).toMatchObject([{ code: 'timeout' }]);

    await jest.advanceTimersByTimeAsync(HOUR_MS - RENEWAL_MS - 10_000);
    expect(sent).toEqual(['fresh']);
  });

  it('whose token function hangs leaves no timer behind when the connection ends', async () => {
    const { made, failures } = authentication(() => new Promise<string>(() => {}));
    made.open(HOUR_MS);
    await jest.advanceTimersByTimeAsync(RENEWAL_MS);
    expect(jest.getTimerCount()).toBe(1);

    made.close();

    expect(jest.getTimerCount()).toBe(0);
    await jest.advanceTimersByTimeAsync(HOUR_MS);
    expect(failures).toEqual([]);
  });

  it('whose connection broke while it waited for the token drops it', async () => {
    let give: (token: string) => void = () => {};
    const { made, sent } = authentication(() => new Promise((resolve) => (give = resolve)));
    made.open(HOUR_MS);
    await jest.advanceTimersByTimeAsync(RENEWAL_MS);

    made.close();
    made.open(HOUR_MS);
    give('of the connection before');
    await jest.advanceTimersByTimeAsync(0);

    expect(sent).toEqual([]);
    expect(jest.getTimerCount()).toBe(1);
  });

  it('is not scheduled by an answer that comes after the end, but by the next connection', async () => {
    const { made, answer } = authentication(() => 'fresh');
    made.open(HOUR_MS);
    const authenticated = made.authenticate();
    await jest.advanceTimersByTimeAsync(0);
    made.close();
    answer();
    await authenticated;
    expect(jest.getTimerCount()).toBe(0);

    made.open(HOUR_MS);
    expect(jest.getTimerCount()).toBe(1);
  });
});
