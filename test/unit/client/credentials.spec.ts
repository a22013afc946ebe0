import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { reactions, rejection, ScriptedServer } from './scripted-server.js';

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

  it('renews a token whenever the server says that it expires soon', async () => {
    let asked = 0;
    server.client({ token: () => `token-${++asked}` });
    const peer = await server.nextPeer();

    peer.send({ op: 'expiring', expiresInMs: 60 });
    expect((await peer.next('auth')).token).toBe('token-2');
    peer.send({ op: 'expiring', expiresInMs: 60 });
    expect((await peer.next('auth')).token).toBe('token-3');
  });

  it('reports a renewal that failed, and tries again when it is reminded', async () => {
    let asked = 0;
    const { nextError } = server.client({
      token: () => {
        if (++asked === 2) throw new Error('The login service is down.');
        return `token-${asked}`;
      },
    });
    const peer = await server.nextPeer();

    peer.send({ op: 'expiring', expiresInMs: 60 });
    expect((await nextError('handler_failed')).message).toContain('The login service is down.');
    peer.send({ op: 'expiring', expiresInMs: 12 });
    expect((await peer.next('auth')).token).toBe('token-3');
  });

  it('asks a token function that has none once, and reports it', async () => {
    let asked = 0;
    const { nextError } = server.client({ token: () => (++asked === 1 ? 'token' : undefined) });
    const peer = await server.nextPeer();

    peer.send({ op: 'expiring', expiresInMs: 60 });

    expect((await nextError('bad_option')).message).toContain('There is no token');
    expect(asked).toBe(2);
  });

  it('reports a renewal that the server refused', async () => {
    server.react = ({ op, id = 0 }, peer) => {
      if (op === 'auth') peer.send({ op: 'error', id, code: 'unauthorized', message: 'No.' });
    };
    const { loop, nextError } = server.client({ token: () => 'token' });
    const peer = await server.nextPeer();

    peer.send({ op: 'expiring', expiresInMs: 60 });

    expect(await nextError('unauthorized')).toMatchObject({ message: 'No.' });
    expect(loop.state).toBe('open');
  });

  it('renews at once, however much waits to be sent', async () => {
    server.welcome = { framesPerSecond: 1, frameBurst: 2 };
    const { loop } = server.client({ token: () => 'token' });
    const peer = await server.nextPeer();
    await loop.ready();
    for (let n = 0; n < 10; n++) loop.send('chat:message', n);

    peer.send({ op: 'expiring', expiresInMs: 60 });
    await peer.next('auth');

    expect(peer.frames.all.length).toBeLessThan(10);
  });

  it('does not wait for a token function that hangs when it is reminded', async () => {
    let asked = 0;
    const never = new Promise<string>(() => {});
    server.client({ token: () => (++asked === 2 ? never : `token-${asked}`) });
    const peer = await server.nextPeer();

    peer.send({ op: 'expiring', expiresInMs: 60 });
    peer.send({ op: 'expiring', expiresInMs: 12 });

    expect((await peer.next('auth')).token).toBe('token-3');
  });

  it('drops a renewal whose connection is gone: the next one has a newer token', async () => {
    let asked = 0;
    let give: (token: string) => void = () => {};
    const slow = new Promise<string>((resolve) => (give = resolve));
    const { loop, errors, nextState } = server.client({
      token: () => (++asked === 2 ? slow : `token-${asked}`),
    });
    const first = await server.nextPeer();
    await loop.ready();
    first.send({ op: 'expiring', expiresInMs: 60 });
    await eventually('a token is asked for', () => asked === 2);
    first.close(1001);
    await nextState('waiting');
    const second = await server.nextPeer();
    await nextState('open');

    give('token-2');
    await loop.ping();

    expect(second.offered[1]).toBe('bearer.token-3');
    expect(second.frames.all.map(({ op }) => op)).toEqual(['ping']);
    expect(errors.all).toEqual([]);
  });

  it('reports no renewal that it broke off itself', async () => {
    server.react = reactions.silent;
    const { loop, errors } = server.client({ token: () => 'token' });
    const peer = await server.nextPeer();
    peer.send({ op: 'expiring', expiresInMs: 60 });
    await peer.next('auth');

    loop.close();
    await rejection(loop.ready());

    expect(errors.all).toEqual([]);
  });

  it('does not try to renew a token that is a text', async () => {
    const { loop, errors } = server.client({ token: 'text' });
    const peer = await server.nextPeer();
    await loop.ready();

    peer.send({ op: 'expiring', expiresInMs: 60 });
    await loop.ping();

    expect(peer.frames.all.map(({ op }) => op)).toEqual(['ping']);
    expect(errors.all).toEqual([]);
  });
});
