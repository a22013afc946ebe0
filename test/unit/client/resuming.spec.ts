import { ScriptedServer } from './scripted-server.js';
import {
  answerSince,
  event,
  grantFrom,
  handled,
  ok,
  reconnect,
  refuseWith,
  resetsOf,
  together,
} from './server-with-history.js';

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start();
});

afterEach(() => server.stop());

describe('the answer to since', () => {
  it.each(['5.a', '50.a'])(
    'P2, P3: counts before an event that comes with it, after the position %s',
    async (account) => {
      server.welcome = { positions: { account } };
      const asked = answerSince(server, (_since, frame, peer) =>
        together(
          peer,
          ok(frame, { resumed: {}, reset: { account: '10.b' } }),
          event('11.c'),
          event('11.c'),
        ),
      );
      const client = server.client();
      const seen: unknown[] = [];
      client.loop.onReset(({ topic }) => seen.push(topic));
      client.loop.on('chat:*', (data) => seen.push(data));
      const first = await server.nextPeer();
      await client.loop.ready();
      const second = await reconnect(server, client, first);
      await client.loop.ready();
      await reconnect(server, client, second);
      await client.loop.ready();

      expect(seen).toEqual(['account', '11.c']);
      expect(asked).toEqual([{ account }, { account: '11.c' }]);
    },
  );

  it('P3: that has not come in time leaves what is replayed in its place', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince(server, (_since, _frame, peer) => peer.send(event('6.b')));
    const client = server.client({ requestTimeoutMs: 100 });
    const seen: unknown[] = [];
    client.loop.on('chat:*', (data) => seen.push(data));
    const first = await server.nextPeer();
    await client.loop.ready();
    await reconnect(server, client, first);
    await client.loop.ready();

    expect(seen).toEqual(['6.b']);
    expect(asked).toEqual([{ account: '5.a' }, { account: '6.b' }]);
  });

  it.each(['timeout', 'unavailable', 'internal'])(
    'P3: is asked for again after %s, and the client is ready only then',
    async (code) => {
      server.welcome = { positions: { account: '5.a' } };
      const asked = answerSince(server, refuseWith(code), refuseWith(code));
      const client = server.client();
      client.loop.on('chat:*', () => {});
      const resets = resetsOf(client);
      const first = await server.nextPeer();
      await client.loop.ready();
      await reconnect(server, client, first);
      await client.loop.ready();

      expect(asked).toEqual(Array(3).fill({ account: '5.a' }));
      expect(resets).toEqual([]);
    },
  );

  it('is no problem of the application when the connection breaks before it', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince(server, (_since, _frame, peer) => peer.close(1001));
    const client = server.client();
    client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    await reconnect(server, client, first);
    await client.nextState('waiting');
    await client.loop.ready();

    expect(asked).toEqual(Array(2).fill({ account: '5.a' }));
    expect(client.errors.all).toEqual([]);
  });

  it('P3: is a loss when the server refuses, and the client goes on from the welcome', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince(server, refuseWith('bad_frame'));
    const client = server.client();
    const resets = resetsOf(client);
    client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    server.welcome = { positions: { account: 'a.b' } };
    const second = await reconnect(server, client, first);
    await client.loop.ready();
    await reconnect(server, client, second);
    await client.loop.ready();

    expect(resets).toEqual(['account']);
    // Nothing at all is asked for as well: the server goes on with what it has held back.
    expect(asked).toEqual([{ account: '5.a' }, {}, { account: 'a.b' }]);
    await client.nextError('bad_frame');
  });

  it('ends when the server refuses even to hear of nothing', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince(server, refuseWith('bad_frame'), refuseWith('bad_frame'));
    const client = server.client();
    client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    await reconnect(server, client, first);
    await client.loop.ready();

    expect(asked).toEqual([{ account: '5.a' }, {}]);
  });
});

describe('since', () => {
  it('P3: is not too late for events that come before it', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince(server, (_since, frame, peer) => {
      for (const pos of ['6.b', '7.c']) peer.send(event(pos));
      peer.send(ok(frame, { resumed: { account: 2 }, reset: {} }));
    });
    const client = server.client();
    const seen: unknown[] = [];
    client.loop.on('chat:*', (data) => seen.push(data));
    const first = await server.nextPeer();
    await client.loop.ready();
    const friendly = server.react;
    let isFirst = true;
    server.react = (frame, peer) => {
      if (!isFirst) return friendly(frame, peer);
      isFirst = false;
      peer.send({ op: 'error', id: frame.id!, code: 'unavailable', message: 'Not now.' });
      peer.send(event('7.c'));
    };
    await reconnect(server, client, first);
    await client.loop.ready();

    expect(asked).toEqual([{ account: '5.a' }]);
    expect(seen).toEqual(['6.b', '7.c']);
  });

  it('P3: is not asked for what the server has given up before it', async () => {
    server.welcome = { positions: { account: '5.a', 'room:lobby': '5.a' } };
    const asked = answerSince(server);
    const client = server.client();
    const resets = resetsOf(client);
    const off = client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    off();
    server.welcome = {};
    const second = await reconnect(server, client, first);
    await client.nextState('open');
    second.send({ op: 'reset', topics: { account: '9.b' } });
    second.send(event('a.c'));
    await handled(client);
    client.loop.on('chat:*', () => {});
    await client.loop.ready();
    await reconnect(server, client, second);
    await client.loop.ready();

    expect(resets).toEqual(['account', 'room:lobby']);
    expect(asked).toEqual([{ account: 'a.c' }]);
  });

  it('P3: names a thousand topics at most, and what it leaves out is told', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince(server);
    const client = server.client();
    const resets = resetsOf(client);
    client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    const rooms = Array.from({ length: 1_000 }, (_, n) => [`room:${n}`, '1.a'] as const);
    first.send({ op: 'positions', topics: Object.fromEntries(rooms) });
    first.send(event('6.b'));
    await handled(client);
    server.welcome = {};
    await reconnect(server, client, first);
    await client.loop.ready();

    expect(Object.keys(asked[0]!)).toHaveLength(1_000);
    expect(asked[0]).toHaveProperty('account', '6.b');
    expect(resets).toEqual(['room:0']);
  });

  it('P3: that is too long for the server is a loss, and not sent', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince(server);
    const client = server.client();
    const resets = resetsOf(client);
    client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    first.send({ op: 'positions', topics: { [`room:${'x'.repeat(300)}`]: '1.a' } });
    await handled(client);
    server.welcome = { maxPayload: 300 };
    await reconnect(server, client, first);
    await client.loop.ready();

    expect(resets).toHaveLength(2);
    expect(asked).toEqual([{}]);
    await client.nextError('frame_too_large');
  });

  it('leaves out services that nobody is subscribed to any more', async () => {
    grantFrom(server, '7.q', 'chat');
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince(server);
    const client = server.client();
    const resets = resetsOf(client);
    client.loop.on('billing:*', () => {});
    const off = client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    off();
    await client.loop.ready();
    await reconnect(server, client, first);
    await client.loop.ready();

    expect(asked).toEqual([{ account: '5.a' }]);
    expect(resets).toEqual([]);
  });

  it('begins anew with a service that was left', async () => {
    server.welcome = { positions: { account: '5.a' } };
    grantFrom(server, '7.q', 'chat');
    const asked = answerSince(server);
    const client = server.client();
    client.loop.on('billing:*', () => {});
    const off = client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    first.close(4408);
    await client.nextState('waiting');
    off();
    await Promise.resolve();
    client.loop.on('chat:*', () => {});
    await client.loop.ready();

    expect(asked).toEqual([{ account: '5.a' }]);
  });

  it('P3: goes on with a service whose handler was replaced', async () => {
    grantFrom(server, '7.q', 'chat');
    const asked = answerSince(server);
    const client = server.client();
    const off = client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    off();
    client.loop.on('chat:*', () => {});
    await client.loop.ready();
    await reconnect(server, client, first);
    await client.loop.ready();

    expect(asked).toEqual([{ 'service:chat': '7.q' }]);
  });

  it('P3: goes on with what the server has subscribed', async () => {
    server.welcome = { subscriptions: ['chat:*'], positions: { 'service:chat': '7.q' } };
    const asked = answerSince(server);
    const client = server.client();
    client.loop.on('billing:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    await reconnect(server, client, first);
    await client.loop.ready();

    expect(asked).toEqual([{ 'service:chat': '7.q' }]);
  });
});
