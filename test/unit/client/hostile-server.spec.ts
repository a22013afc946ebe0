import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { reactions, ScriptedServer } from './scripted-server.js';

describe('a broken or hostile server', () => {
  let server: ScriptedServer;
  const rejections: unknown[] = [];
  const note = (reason: unknown) => void rejections.push(reason);

  beforeEach(async () => {
    server = await ScriptedServer.start();
    rejections.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(async () => {
    await server.stop();
    process.off('unhandledRejection', note);
    if (rejections.length > 0) throw new Error('A rejection was left unhandled.');
  });

  it.each([
    ['no JSON', '{"op":'],
    ['no object', '17'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['an event that is no name', '{"event":"no name at all"}'],
    ['an event with a bottomless name', JSON.stringify({ event: `a:${'b.'.repeat(50_000)}c` })],
    ['binary', Buffer.from('{"event":"a:b"}')],
  ])('P6: is reported and survived when it sends %s', async (_what, frame) => {
    const { loop, states, nextError } = server.client();
    const heard: string[] = [];
    loop.on('*:*', (_, event) => void heard.push(event.name));
    const peer = await server.nextPeer();
    await loop.ready();

    peer.sendRaw(frame);

    await nextError('unreadable_frame');
    await loop.ping();
    expect(heard).toEqual([]);
    expect(loop.welcome?.accountId).toBe('acme');
    expect(states.all.map(({ state }) => state)).toEqual(['open']);
  });

  it('leaves out an op that only a newer server knows, and reports nothing', async () => {
    const { loop, errors } = server.client();
    const peer = await server.nextPeer();
    await loop.ready();
    peer.sendRaw('{"op":"dance"}');
    await loop.ping();
    expect(errors.all).toEqual([]);
  });

  it.each([
    '{"op":"welcome"}',
    '{"op":"welcome","accountId":"b","connectionId":"c","serverId":"d","subscriptions":[],"heartbeatMs":1,"maxPayload":1}',
    '{"op":"ok","id":{}}',
    '{"op":"ok","id":999,"denied":[null,3,{}]}',
    '{"op":"reply","id":"__proto__"}',
    '{"op":"pong","id":[]}',
    '{"op":"reconnect","afterMs":1e999}',
    '{"event":"a:b","data":{"__proto__":{"polluted":true}}}',
  ])('P6: does no harm with %s', async (frame) => {
    const { loop, states } = server.client();
    const peer = await server.nextPeer();
    await loop.ready();

    peer.sendRaw(frame);
    await loop.ping();

    expect(states.all.map(({ state }) => state)).toEqual(['open']);
    expect(loop.welcome?.accountId).toBe('acme');
    expect({}).not.toHaveProperty('polluted');
  });

  it('P6: does no harm with denials that are none', async () => {
    server.react = ({ op, id }, peer) => {
      if (op === 'subscribe') {
        peer.sendRaw(JSON.stringify({ op: 'ok', id, denied: [null, 3, {}] }));
      }
    };
    const { loop, errors } = server.client();
    loop.on('a:b', () => {});
    await loop.ready();

    expect(errors.all).toEqual([]);
  });

  it.each(['5', '"all"', 'null', '{}'])(
    'P3: has lost what it was asked for when its answer has resumed %s',
    async (resumed) => {
      server.welcome = { positions: { account: '1.a' } };
      server.react = (frame, peer) => {
        if (frame.patterns?.length !== 0) return reactions.friendly(frame, peer);
        peer.sendRaw(`{"op":"ok","id":${String(frame.id)},"resumed":${resumed}}`);
      };
      const { loop, nextState, nextError } = server.client();
      loop.on('a:b', () => {});
      await loop.ready();
      (await server.nextPeer()).close(1001);
      await nextState('waiting');

      expect(await nextError('history_lost')).toMatchObject({ details: { topic: 'account' } });
      expect(await loop.ping()).toBeGreaterThan(0);
    },
  );

  it.each(['often', -1, {}, undefined])(
    'is given up when the heartbeatMs of its welcome is %p, and tried again',
    async (heartbeatMs) => {
      server.welcome = { heartbeatMs: heartbeatMs as number };
      const { nextState, nextError } = server.client({ connectTimeoutMs: 40 });
      await server.nextPeer();

      await nextError('unreadable_frame');
      expect(await nextState('waiting')).toMatchObject({ code: 4408 });
      server.welcome = {};
      await nextState('open');
    },
  );

  it('is come back to with jitter when its advice is none', async () => {
    const { nextState } = server.client({ random: () => 0.5 });
    const peer = await server.nextPeer();
    peer.sendRaw('{"op":"reconnect"}');
    peer.close(1012);

    expect(await nextState('waiting')).toMatchObject({ nextAttemptMs: 250 });
  });

  it('survives a welcome whose heartbeat is beyond what timers hold', async () => {
    server.welcome = { heartbeatMs: 1e300, expiresInMs: 1e300 };
    const { loop, states } = server.client({ token: () => 'token' });
    const peer = await server.nextPeer();
    await loop.ready();
    await loop.ping();

    expect(peer.frames.all.map(({ op }) => op)).toEqual(['ping']);
    expect(states.all.map(({ state }) => state)).toEqual(['open']);
  });

  it('has its errors without a request reported', async () => {
    const { nextError } = server.client();
    const peer = await server.nextPeer();
    peer.send({ op: 'error', code: 'rate_limited', message: 'Slower.', details: { perSecond: 5 } });

    expect(await nextError('rate_limited')).toMatchObject({
      message: 'Slower.',
      details: { perSecond: 5 },
    });
  });

  it('is written to the console when nobody listens for problems', async () => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    const { loop } = server.client();
    const quiet = jest.fn();
    loop.onError(quiet)();
    const { connect } = await import('../../../lib/client/index.js');
    const { WebSocket } = await import('ws');
    const alone = connect(server.url, { WebSocket });
    await server.nextPeer();
    const peer = await server.nextPeer();
    await alone.ready();
    peer.send({ op: 'error', code: 'rate_limited', message: 'Slower.' });
    await alone.ping();
    alone.close();

    expect(logged).toHaveBeenCalledWith(expect.objectContaining({ code: 'rate_limited' }));
    expect(quiet).not.toHaveBeenCalled();
    logged.mockRestore();
  });

  it('cannot make a listener of problems that throws loop for ever', async () => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    const thrown = new Error('bad listener');
    const { loop, nextError } = server.client();
    loop.onError(() => {
      throw thrown;
    });
    const peer = await server.nextPeer();
    peer.send({ op: 'error', code: 'rate_limited', message: 'Slower.' });
    await nextError('rate_limited');
    await loop.ping();

    expect(logged.mock.calls).toEqual([[thrown]]);
    logged.mockRestore();
  });
});
