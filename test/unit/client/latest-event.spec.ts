import { ScriptedServer, reactions } from './scripted-server.js';
import {
  answerSince,
  event,
  grantFrom,
  handled,
  ok,
  reconnect,
  refuseWith,
  resetsOf,
  resumeAll,
} from './server-with-history.js';

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start();
});

afterEach(() => server.stop());

describe('the latest event', () => {
  const latest = { 'service:prices': 'latest' };

  it('P2: is not repeated when it came live', async () => {
    grantFrom(server, '9.z');
    const price = event('a.y', 'service:prices', 'prices:eur');
    answerSince(server, (_since, frame, peer) => {
      for (let n = 0; n < 2; n++) peer.send(price);
      peer.send(ok(frame, { resumed: { 'service:prices': 1 }, reset: {} }));
    });
    const client = server.client();
    const seen: unknown[] = [];
    client.loop.on('prices:eur', (data) => seen.push(data), { latest: true });
    await client.loop.ready();

    expect(seen).toEqual(['a.y']);
  });

  it('is not asked for when something newer came', async () => {
    const price = event('a.y', 'service:prices', 'prices:eur');
    server.react = (frame, peer) => {
      if (frame.op === 'subscribe') peer.send(price);
      reactions.friendly(frame, peer);
    };
    const asked = answerSince(server);
    const client = server.client();
    const seen: unknown[] = [];
    client.loop.on('prices:eur', (data) => seen.push(data), { latest: true });
    await client.loop.ready();

    expect(seen).toEqual(['a.y']);
    expect(asked).toEqual([]);
  });

  it.each(['timeout', 'unavailable', 'internal'])('is asked for again after %s', async (code) => {
    grantFrom(server, '9.z');
    const asked = answerSince(server, refuseWith(code));
    const client = server.client();
    client.loop.on('prices:eur', () => {}, { latest: true });
    await client.loop.ready();

    expect(asked).toEqual([latest, latest]);
  });

  it('is asked for once when the server refuses', async () => {
    grantFrom(server, '9.z');
    const asked = answerSince(server, refuseWith('bad_frame'));
    const client = server.client();
    const resets = resetsOf(client);
    client.loop.on('prices:eur', () => {}, { latest: true });
    await client.loop.ready();

    expect(asked).toEqual([latest]);
    expect(resets).toEqual([]);
  });

  it('is asked for after its service was resumed, when the connection broke before the answer', async () => {
    grantFrom(server, '9.z');
    const asked = answerSince(server, (_since, _frame, peer) => peer.close(1001));
    const client = server.client();
    client.loop.on('prices:eur', () => {}, { latest: true });
    await client.loop.ready();

    expect(asked).toEqual([latest, { 'service:prices': '9.z' }, latest]);
    expect(client.errors.all).toEqual([]);
  });

  it('is asked for again after a reset of its service', async () => {
    grantFrom(server, '9.z');
    const asked = answerSince(
      server,
      resumeAll,
      (_since, frame, peer) => peer.send(ok(frame, { reset: { 'service:prices': 'c.x' } })),
      (_since, frame, peer) => {
        peer.send(event('c.x', 'service:prices', 'prices:eur'));
        peer.send(ok(frame, { resumed: { 'service:prices': 1 } }));
      },
    );
    const client = server.client();
    const seen: unknown[] = [];
    client.loop.on('prices:eur', (data) => seen.push(data), { latest: true });
    const resets = resetsOf(client);
    const first = await server.nextPeer();
    await client.loop.ready();
    const second = await reconnect(server, client, first);
    await client.loop.ready();
    expect(asked).toEqual([latest, { 'service:prices': '9.z' }, latest]);
    expect(seen).toEqual(['c.x']);

    second.send({ op: 'reset', topics: { 'service:prices': 'e.w' } });
    await handled(client);
    await client.loop.ready();
    expect(asked.slice(3)).toEqual([latest]);
    expect(resets).toEqual(['service:prices', 'service:prices']);
  });

  it('is given to those alone who begin with it, of a service that others hold', async () => {
    grantFrom(server, '9.z');
    answerSince(server, (_since, frame, peer) => {
      peer.send(event('9.z', 'service:prices', 'prices:eur'));
      peer.send(ok(frame, { resumed: { 'service:prices': 1 }, reset: {} }));
    });
    const client = server.client();
    const seen: unknown[] = [];
    client.loop.on('prices:*', (data) => seen.push(['all', data]));
    await client.loop.ready();
    client.loop.on('prices:usd', (data) => seen.push(['usd', data]), { latest: true });
    client.loop.on('prices:*', (data) => seen.push(['latest', data]), { latest: true });
    const off = client.loop.on('prices:*', (data) => seen.push(['gone', data]), { latest: true });
    off();
    await client.loop.ready();

    expect(seen).toEqual([['latest', '9.z']]);
  });

  it('comes all the same when a reset of something else comes before it', async () => {
    grantFrom(server, '9.z');
    answerSince(server, (_since, frame, peer) => {
      peer.send({ op: 'reset', topics: { account: '8.b' } });
      peer.send(event('9.z', 'service:prices', 'prices:eur'));
      peer.send(ok(frame, { resumed: { 'service:prices': 1 }, reset: {} }));
    });
    const client = server.client();
    const seen: unknown[] = [];
    const resets = resetsOf(client);
    client.loop.on('prices:eur', (data) => seen.push(data), { latest: true });
    await client.loop.ready();

    expect(seen).toEqual(['9.z']);
    expect(resets).toEqual(['account']);
  });

  it('is asked for each time somebody begins with it, of a pattern that is held as well', async () => {
    grantFrom(server, '9.z');
    const asked = answerSince(server);
    const client = server.client();
    const off = client.loop.on('prices:eur', () => {}, { latest: true });
    await client.loop.ready();
    off();
    await client.loop.ready();
    for (let n = 0; n < 2; n++) {
      client.loop.on('prices:eur', () => {}, { latest: true });
      await client.loop.ready();
    }

    expect(asked).toEqual([latest, latest, latest]);
  });

  it('is of one service', () => {
    const { loop } = server.client();
    const begin = (): unknown => loop.on('*:*', () => {}, { latest: true });

    expect(begin).toThrow(expect.objectContaining({ code: 'bad_pattern' }));
    expect(begin).toThrow(/"\*:\*" has no latest event/);
  });
});
