import type { ServerFrame } from '../../../lib/protocol/frames.js';
import {
  type Peer,
  reactions,
  ScriptedServer,
  type TestClient,
  type WireFrame,
} from './scripted-server.js';

type Since = Readonly<Record<string, string>>;
type Answer = (since: Since, frame: WireFrame, peer: Peer) => void;

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start();
});

afterEach(() => server.stop());

/** The answer to a `since`. */
function ok({ id }: WireFrame, fields: object): ServerFrame {
  return { op: 'ok', id: id!, granted: [], denied: [], ...fields };
}

const resumeAll: Answer = (since, frame, peer) => {
  const resumed = Object.fromEntries(Object.keys(since).map((topic) => [topic, 0]));
  peer.send(ok(frame, { resumed, reset: {} }));
};

const refuseWith =
  (code: string): Answer =>
  (_since, frame, peer) =>
    peer.send({ op: 'error', id: frame.id!, code, message: 'Not now.' });

/** Lets the server answer each `since` with the next of these, and all others of them with everything resumed. */
function answerSince(...answers: readonly Answer[]): Since[] {
  const asked: Since[] = [];
  const others = server.react;
  server.react = (frame, peer) => {
    if (frame.since === undefined) return others(frame, peer);
    const answer = answers[asked.length] ?? resumeAll;
    asked.push(frame.since);
    answer(frame.since, frame, peer);
  };
  return asked;
}

/** Lets the server say with every grant of a pattern of the service from where on its events come. */
function grantFrom(pos: string, service = 'prices'): void {
  server.react = (frame, peer) => {
    const isNew = frame.patterns?.some((pattern) => pattern.startsWith(`${service}:`));
    if (frame.op !== 'subscribe' || !isNew) return reactions.friendly(frame, peer);
    const positions = { [`service:${service}`]: pos };
    peer.send({ op: 'ok', id: frame.id!, granted: frame.patterns!, positions });
  };
}

function event(pos: string, topic = 'account', name = 'chat:n'): ServerFrame {
  return { event: name, data: pos, topic, pos };
}

/** Frames in one write, as the server has them when it sends several in one turn. */
function together(peer: Peer, ...frames: readonly ServerFrame[]): void {
  const { _socket: raw } = peer.socket as unknown as {
    _socket: { cork(): void; uncork(): void };
  };
  raw.cork();
  for (const frame of frames) peer.send(frame);
  raw.uncork();
}

async function reconnect(client: TestClient, peer: Peer): Promise<Peer> {
  peer.close(4408);
  await client.nextState('waiting');
  return server.nextPeer();
}

function resetsOf({ loop }: TestClient): string[] {
  const resets: string[] = [];
  loop.onReset(({ topic }) => resets.push(topic));
  return resets;
}

/** Everything that the server has sent so far has been handled. */
const handled = ({ loop }: TestClient): Promise<unknown> => loop.ping();

describe('the answer to since', () => {
  it.each(['5.a', '50.a'])(
    'P2, P3: counts before an event that comes with it, after the position %s',
    async (account) => {
      server.welcome = { positions: { account } };
      const asked = answerSince((_since, frame, peer) =>
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
      const second = await reconnect(client, first);
      await client.loop.ready();
      await reconnect(client, second);
      await client.loop.ready();

      expect(seen).toEqual(['account', '11.c']);
      expect(asked).toEqual([{ account }, { account: '11.c' }]);
    },
  );

  it('P3: that has not come in time leaves what is replayed in its place', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince((_since, _frame, peer) => peer.send(event('6.b')));
    const client = server.client({ requestTimeoutMs: 100 });
    const seen: unknown[] = [];
    client.loop.on('chat:*', (data) => seen.push(data));
    const first = await server.nextPeer();
    await client.loop.ready();
    await reconnect(client, first);
    await client.loop.ready();

    expect(seen).toEqual(['6.b']);
    expect(asked).toEqual([{ account: '5.a' }, { account: '6.b' }]);
  });

  it.each(['timeout', 'unavailable', 'internal'])(
    'P3: is asked for again after %s, and the client is ready only then',
    async (code) => {
      server.welcome = { positions: { account: '5.a' } };
      const asked = answerSince(refuseWith(code), refuseWith(code));
      const client = server.client();
      client.loop.on('chat:*', () => {});
      const resets = resetsOf(client);
      const first = await server.nextPeer();
      await client.loop.ready();
      await reconnect(client, first);
      await client.loop.ready();

      expect(asked).toEqual(Array(3).fill({ account: '5.a' }));
      expect(resets).toEqual([]);
    },
  );

  it('is no problem of the application when the connection breaks before it', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince((_since, _frame, peer) => peer.close(1001));
    const client = server.client();
    client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    await reconnect(client, first);
    await client.nextState('waiting');
    await client.loop.ready();

    expect(asked).toEqual(Array(2).fill({ account: '5.a' }));
    expect(client.errors.all).toEqual([]);
  });

  it('P3: is a loss when the server refuses, and the client goes on from the welcome', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince(refuseWith('bad_frame'));
    const client = server.client();
    const resets = resetsOf(client);
    client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    server.welcome = { positions: { account: 'a.b' } };
    const second = await reconnect(client, first);
    await client.loop.ready();
    await reconnect(client, second);
    await client.loop.ready();

    expect(resets).toEqual(['account']);
    // Nothing at all is asked for as well: the server goes on with what it has held back.
    expect(asked).toEqual([{ account: '5.a' }, {}, { account: 'a.b' }]);
    await client.nextError('bad_frame');
  });

  it('ends when the server refuses even to hear of nothing', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince(refuseWith('bad_frame'), refuseWith('bad_frame'));
    const client = server.client();
    client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    await reconnect(client, first);
    await client.loop.ready();

    expect(asked).toEqual([{ account: '5.a' }, {}]);
  });
});

describe('since', () => {
  it('P3: is not too late for events that come before it', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince((_since, frame, peer) => {
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
    await reconnect(client, first);
    await client.loop.ready();

    expect(asked).toEqual([{ account: '5.a' }]);
    expect(seen).toEqual(['6.b', '7.c']);
  });

  it('P3: is not asked for what the server has given up before it', async () => {
    server.welcome = { positions: { account: '5.a', 'room:lobby': '5.a' } };
    const asked = answerSince();
    const client = server.client();
    const resets = resetsOf(client);
    const off = client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    off();
    server.welcome = {};
    const second = await reconnect(client, first);
    await client.nextState('open');
    second.send({ op: 'reset', topics: { account: '9.b' } });
    second.send(event('a.c'));
    await handled(client);
    client.loop.on('chat:*', () => {});
    await client.loop.ready();
    await reconnect(client, second);
    await client.loop.ready();

    expect(resets).toEqual(['account', 'room:lobby']);
    expect(asked).toEqual([{ account: 'a.c' }]);
  });

  it('P3: names a thousand topics at most, and what it leaves out is told', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince();
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
    await reconnect(client, first);
    await client.loop.ready();

    expect(Object.keys(asked[0]!)).toHaveLength(1_000);
    expect(asked[0]).toHaveProperty('account', '6.b');
    expect(resets).toEqual(['room:0']);
  });

  it('P3: that is too long for the server is a loss, and not sent', async () => {
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince();
    const client = server.client();
    const resets = resetsOf(client);
    client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    first.send({ op: 'positions', topics: { [`room:${'x'.repeat(300)}`]: '1.a' } });
    await handled(client);
    server.welcome = { maxPayload: 300 };
    await reconnect(client, first);
    await client.loop.ready();

    expect(resets).toHaveLength(2);
    expect(asked).toEqual([{}]);
    await client.nextError('frame_too_large');
  });

  it('leaves out services that nobody is subscribed to any more', async () => {
    grantFrom('7.q', 'chat');
    server.welcome = { positions: { account: '5.a' } };
    const asked = answerSince();
    const client = server.client();
    const resets = resetsOf(client);
    client.loop.on('billing:*', () => {});
    const off = client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    off();
    await client.loop.ready();
    await reconnect(client, first);
    await client.loop.ready();

    expect(asked).toEqual([{ account: '5.a' }]);
    expect(resets).toEqual([]);
  });

  it('begins anew with a service that was left', async () => {
    server.welcome = { positions: { account: '5.a' } };
    grantFrom('7.q', 'chat');
    const asked = answerSince();
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
    grantFrom('7.q', 'chat');
    const asked = answerSince();
    const client = server.client();
    const off = client.loop.on('chat:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    off();
    client.loop.on('chat:*', () => {});
    await client.loop.ready();
    await reconnect(client, first);
    await client.loop.ready();

    expect(asked).toEqual([{ 'service:chat': '7.q' }]);
  });

  it('P3: goes on with what the server has subscribed', async () => {
    server.welcome = { subscriptions: ['chat:*'], positions: { 'service:chat': '7.q' } };
    const asked = answerSince();
    const client = server.client();
    client.loop.on('billing:*', () => {});
    const first = await server.nextPeer();
    await client.loop.ready();
    await reconnect(client, first);
    await client.loop.ready();

    expect(asked).toEqual([{ 'service:chat': '7.q' }]);
  });
});

describe('the latest event', () => {
  const latest = { 'service:prices': 'latest' };

  it('P2: is not repeated when it came live', async () => {
    grantFrom('9.z');
    const price = event('a.y', 'service:prices', 'prices:eur');
    answerSince((_since, frame, peer) => {
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
    const asked = answerSince();
    const client = server.client();
    const seen: unknown[] = [];
    client.loop.on('prices:eur', (data) => seen.push(data), { latest: true });
    await client.loop.ready();

    expect(seen).toEqual(['a.y']);
    expect(asked).toEqual([]);
  });

  it.each(['timeout', 'unavailable', 'internal'])('is asked for again after %s', async (code) => {
    grantFrom('9.z');
    const asked = answerSince(refuseWith(code));
    const client = server.client();
    client.loop.on('prices:eur', () => {}, { latest: true });
    await client.loop.ready();

    expect(asked).toEqual([latest, latest]);
  });

  it('is asked for once when the server refuses', async () => {
    grantFrom('9.z');
    const asked = answerSince(refuseWith('bad_frame'));
    const client = server.client();
    const resets = resetsOf(client);
    client.loop.on('prices:eur', () => {}, { latest: true });
    await client.loop.ready();

    expect(asked).toEqual([latest]);
    expect(resets).toEqual([]);
  });

  it('is asked for after its service was resumed, when the connection broke before the answer', async () => {
    grantFrom('9.z');
    const asked = answerSince((_since, _frame, peer) => peer.close(1001));
    const client = server.client();
    client.loop.on('prices:eur', () => {}, { latest: true });
    await client.loop.ready();

    expect(asked).toEqual([latest, { 'service:prices': '9.z' }, latest]);
    expect(client.errors.all).toEqual([]);
  });

  it('is asked for again after a reset of its service', async () => {
    grantFrom('9.z');
    const asked = answerSince(
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
    const second = await reconnect(client, first);
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
    grantFrom('9.z');
    answerSince((_since, frame, peer) => {
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
    grantFrom('9.z');
    answerSince((_since, frame, peer) => {
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
    grantFrom('9.z');
    const asked = answerSince();
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
