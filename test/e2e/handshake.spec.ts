import { once } from 'node:events';
import type { Server } from 'node:http';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import {
  ConflictException,
  Controller,
  ForbiddenException,
  Get,
  type INestApplication,
  Logger,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { WebSocket } from 'ws';
import {
  ConnectionRegistry,
  EventBus,
  type LoopConnection,
  type LoopRequest,
  OnLoopConnect,
  OnLoopEvent,
} from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import {
  closeLoopApps,
  type LoopApp,
  loopModule,
  startLoopApp,
  track,
} from '../support/loop-app.js';
import { cutRawPeers, RawPeer, textFrame, upgradeRequest } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';
import { watchTurns } from '../support/turn-watch.js';

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
  jest.restoreAllMocks();
});

async function refusal(app: LoopApp, options: Parameters<typeof RawPeer.upgrade>[1] = {}) {
  const peer = await RawPeer.upgrade(app.port, options);
  await eventually('the end of a refused connection', () => peer.ended || peer.isGone);
  return peer.answer;
}

describe('an upgrade that is malformed', () => {
  it.each([
    ['another path', { path: '/nowhere' }, 404],
    ['a path that only begins like ours', { path: '/ws2' }, 404],
    ['a path with the traversal trick', { path: '/x/../ws' }, 404],
    ['a path with a broken escape', { path: '/%zz' }, 404],
    ['no key', { headers: { 'Sec-WebSocket-Key': undefined } }, 400],
    ['a key of the wrong length', { headers: { 'Sec-WebSocket-Key': 'c2hvcnQ=' } }, 400],
    ['an ancient version', { headers: { 'Sec-WebSocket-Version': '6' } }, 400],
    ['another protocol to upgrade to', { headers: { Upgrade: 'h2c' } }, 400],
    ['two Upgrade headers', { headers: { Upgrade: ['websocket', 'websocket'] } }, 400],
    ['POST', { method: 'POST' }, 405],
    [
      'only subprotocols that we do not speak',
      { headers: { 'Sec-WebSocket-Protocol': 'mqtt' } },
      400,
    ],
    ['a malformed list of subprotocols', { headers: { 'Sec-WebSocket-Protocol': 'a,,b' } }, 400],
    [
      'a subprotocol in letters beyond ASCII',
      { headers: { 'Sec-WebSocket-Protocol': 'lööp' } },
      400,
    ],
    ['a connection id with a control character', { path: '/ws?connectionId=a%0Ab' }, 400],
    ['a connection id in malformed UTF-8', { path: '/ws?connectionId=a%FF' }, 400],
    ['a connection id of 10 KB', { path: `/ws?connectionId=${'x'.repeat(10_000)}` }, 400],
    ['an empty connection id', { path: '/ws?connectionId=' }, 400],
    ['a header of 40 KB', { headers: { 'X-Long': 'x'.repeat(40_000) } }, 431],
  ])(
    'with %s is answered with a clean HTTP status and without our insides',
    async (_what, options, status) => {
      const app = await startLoopApp();
      const { status: told, body, headers } = await refusal(app, options);
      expect(told).toBe(status);
      expect(body).not.toMatch(/Error|node:|\.js|\.ts|at /);
      expect(headers.get('connection')).toBe('close');
      expect(app.get(ConnectionRegistry).size).toBe(0);
      expect(await isServing(app)).toBe(true);
    },
  );

  it.each<[string, Record<string, string | readonly string[]>]>([
    ['a Host that is none', { Host: 'a b:c:d' }],
    ['a thousand headers', { 'X-Many': Array.from({ length: 1_000 }, (_, n) => `${n}`) }],
    ['letters beyond ASCII in a header', { 'User-Agent': 'Bücher/1.0' }],
    ['extensions that nobody knows', { 'Sec-WebSocket-Extensions': 'x-evil; a=1; b="2"' }],
  ])('only in what does not concern us, with %s, is accepted', async (_what, headers) => {
    const app = await startLoopApp();
    const peer = await RawPeer.open(app.port, { headers });
    expect(peer.answer.status).toBe(101);
    expect(await isServing(app)).toBe(true);
  });

  it('that is refused leaves no socket behind, though the peer keeps its side open', async () => {
    const app = await startLoopApp();
    for (const path of ['/nowhere', '/ws?connectionId=']) {
      await RawPeer.upgrade(app.port, { path, allowHalfOpen: true });
    }
    const server = app.app.getHttpServer();
    const count = () =>
      new Promise<number>((resolve) =>
        server.getConnections((_: unknown, open: number) => resolve(open)),
      );
    await eventually('no socket left', async () => (await count()) === 0);
    expect(await isServing(app)).toBe(true);
  });
});

describe('the path', () => {
  it.each(['/ws/', '//ws', '/a//b', 'ws', '', '/w s', '/ws?x', '/ws#x', '/:id'])(
    '%j stops the boot, for nobody could connect to it',
    async (path) => {
      await expect(startLoopApp({ options: { path } })).rejects.toThrow(/"path".*plain path/);
    },
  );

  it.each(['/', '/ws', '/a/b-c.d~e'])('%s serves, and no other', async (path) => {
    const app = await startLoopApp({ options: { path } });
    expect((await RawPeer.open(app.port, { path: `${path}?x=1` })).answer.status).toBe(101);
    expect((await refusal(app, { path: `${path}x` })).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${app.port}${path}`)).status).toBe(426);
  });
});

describe('plain HTTP on the WebSocket path', () => {
  @Controller('ws')
  class OwnRoute {
    @Get()
    hello(): string {
      return 'mine';
    }
  }

  async function listening(app: INestApplication): Promise<LoopApp> {
    await app.listen(0, '127.0.0.1');
    return track(app);
  }

  const PLATFORMS: [string, (controllers: (typeof OwnRoute)[]) => Promise<LoopApp>][] = [
    [
      'Express',
      async (controllers) => {
        const builder = Test.createTestingModule({ imports: [loopModule()], controllers });
        return listening((await builder.compile()).createNestApplication());
      },
    ],
    [
      'Fastify',
      async (controllers) => {
        const builder = Test.createTestingModule({ imports: [loopModule()], controllers });
        return listening((await builder.compile()).createNestApplication(new FastifyAdapter()));
      },
    ],
  ];

  describe.each(PLATFORMS)('with %s', (_platform, start) => {
    it('is answered with 426 and the protocol to upgrade to, while WebSockets connect', async () => {
      const app = await start([]);
      const answer = await fetch(`http://127.0.0.1:${app.port}/ws`);
      expect(answer.status).toBe(426);
      expect(answer.headers.get('upgrade')).toBe('websocket');
      expect(await answer.text()).toContain('WebSocket');
      expect((await fetch(`http://127.0.0.1:${app.port}/other`)).status).toBe(404);
      expect(await isServing(app)).toBe(true);
    });

    it('is left to a route of the application on the same path', async () => {
      const app = await start([OwnRoute]);
      const answer = await fetch(`http://127.0.0.1:${app.port}/ws`);
      expect([answer.status, await answer.text()]).toEqual([200, 'mine']);
      expect(await isServing(app)).toBe(true);
    });
  });
});

describe('the origin', () => {
  const allowedOrigins = ['https://app.example', 'https://xn--bcher-kva.example'];

  it.each([
    'null',
    'https://app.example.evil.example',
    'https://evil-app.example',
    'https://app.example@evil.example',
    'https://app.example:8443',
    'http://app.example',
    'https://app.example.',
    'https://APP.example',
    'https://bücher.example',
    'https://*.example',
    'https://app.example/',
    'https://app.example, https://app.example',
    '',
  ])('%p is refused with 403, and no code of the application runs', async (origin) => {
    let asked = 0;
    const authenticate = () => ({ accountId: `a-${++asked}` });
    const app = await startLoopApp({ options: { allowedOrigins, authenticate } });
    const answer = await refusal(app, { headers: { Origin: origin } });
    expect([answer.status, asked]).toEqual([403, 0]);
    expect(await isServing(app)).toBe(true);
  });

  it.each([...allowedOrigins, undefined])('%p passes', async (origin) => {
    const app = await startLoopApp({ options: { allowedOrigins } });
    const peer = await RawPeer.open(app.port, { headers: { Origin: origin } });
    expect(peer.answer.status).toBe(101);
  });

  it('must by default be the host that is connected to', async () => {
    const app = await startLoopApp();
    const own = `http://127.0.0.1:${app.port}`;
    await RawPeer.open(app.port, { headers: { Origin: own } });
    for (const origin of [
      'http://127.0.0.1',
      `http://127.0.0.1:${app.port}.evil.example`,
      'null',
    ]) {
      expect((await refusal(app, { headers: { Origin: origin } })).status).toBe(403);
    }
  });
});

describe('authentication', () => {
  const NO_TOKEN = { headers: { Authorization: undefined } };

  it('that fails is a 401 before the 101: no connection, no hook', async () => {
    let hooked = 0;
    class Hook {
      @OnLoopConnect()
      count(): void {
        hooked++;
      }
    }
    const app = await startLoopApp({ providers: [Hook] });
    expect((await refusal(app, NO_TOKEN)).status).toBe(401);
    expect((await refusal(app, { headers: { Authorization: 'Basic YTpi' } })).status).toBe(401);
    expect([hooked, app.get(ConnectionRegistry).size]).toEqual([0, 0]);
    expect(await isServing(app)).toBe(true);
  });

  it('takes the token of the header or of the second subprotocol, which is never echoed', async () => {
    const app = await startLoopApp();
    await RawPeer.open(app.port, { token: 'by-header' });
    const peer = await RawPeer.open(app.port, {
      headers: {
        Authorization: undefined,
        'Sec-WebSocket-Protocol': 'loopws.v1, bearer.by-subprotocol',
      },
    });
    expect(peer.answer.headers.get('sec-websocket-protocol')).toBe('loopws.v1');
    expect([...peer.answer.headers.values()].join()).not.toContain('by-subprotocol');
    const alone = await RawPeer.open(app.port, {
      headers: { Authorization: undefined, 'Sec-WebSocket-Protocol': 'bearer.alone' },
    });
    expect(alone.answer.headers.has('sec-websocket-protocol')).toBe(false);
    const accounts = [...app.get(ConnectionRegistry)].map(({ accountId }) => accountId);
    expect(accounts).toEqual(['by-header', 'by-subprotocol', 'alone']);
  });

  it('never brings a token into the log or the answer, whatever fails', async () => {
    const logged: unknown[] = [];
    for (const level of ['log', 'warn', 'error', 'debug', 'verbose'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation((...line) => void logged.push(line));
    }
    const authenticate = ({ token }: LoopRequest) => {
      if (token === 'newcomer') return { accountId: 'newcomer' };
      throw new Error('The issuer is unreachable.');
    };
    const app = await startLoopApp({ options: { authenticate } });
    const byHeader = await refusal(app, { token: 'sEcReT' });
    const bySubprotocol = await refusal(app, {
      headers: { Authorization: undefined, 'Sec-WebSocket-Protocol': 'loopws.v1, bearer.sEcReT' },
    });
    const answers = [byHeader, bySubprotocol].map(({ headers, ...rest }) => [rest, ...headers]);
    expect(JSON.stringify([answers, logged])).not.toContain('sEcReT');
    expect(JSON.stringify(answers)).not.toContain('issuer');
    expect(await isServing(app)).toBe(true);
  });

  it.each<[string, () => unknown, number]>([
    ['throws', () => raise(new Error('boom')), 401],
    ['rejects', () => Promise.reject(new Error('boom')), 401],
    ['rejects with nothing', () => Promise.reject(), 401], // oxlint-disable-line promise/no-return-wrap
    ['throws an HttpException', () => raise(new ForbiddenException('Not you.')), 403],
    ['throws another HttpException', () => raise(new ConflictException()), 409],
    ['returns null', () => null, 401],
    ['returns what is no identity', () => 'acme', 401],
    ['returns an account that is a number', () => ({ accountId: 42 }), 401],
    ['returns an account with a line break', () => ({ accountId: 'a\r\nb' }), 401],
    ['returns an account of 10 KB', () => ({ accountId: 'a'.repeat(10_000) }), 401],
    ['returns half a surrogate pair', () => ({ accountId: '\ud800' }), 401],
    ['returns an expiry that is no time', () => ({ accountId: 'a', expiresAt: NaN }), 401],
    [
      'returns credentials that have expired',
      () => ({ accountId: 'a', expiresAt: Date.now() - 1 }),
      401,
    ],
  ])('that %s refuses this peer alone', async (_what, outcome, status) => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const authenticate = ({ token }: LoopRequest) =>
      token === 'newcomer' ? { accountId: token } : (outcome() as null);
    const app = await startLoopApp({ options: { authenticate } });
    const answer = await refusal(app);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('boom');
    expect(await isServing(app)).toBe(true);
  });

  it('that hangs is a 503 with Retry-After at its deadline, and delays nobody else', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const authenticate = ({ token }: LoopRequest) =>
      token === 'newcomer' ? { accountId: token } : new Promise<null>(() => {});
    const options = { authenticate, config: { authenticateTimeoutMs: 100 } };
    const app = await startLoopApp({ options });
    const hanging = refusal(app);
    expect(await isServing(app)).toBe(true);
    const { status, headers } = await hanging;
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  it('of more peers at once than maxPendingUpgrades is a 503 for those above it', async () => {
    const gate = deferred();
    let asked = 0;
    const authenticate = async ({ token }: LoopRequest) => {
      asked++;
      await gate.promise;
      return { accountId: token! };
    };
    const config = { maxPendingUpgrades: 2 };
    const app = await startLoopApp({ options: { authenticate, config } });
    const pending = [RawPeer.upgrade(app.port), RawPeer.upgrade(app.port)];
    await eventually('two that wait', () => asked === 2);
    expect((await refusal(app)).status).toBe(503);
    gate.resolve();
    expect((await Promise.all(pending)).map(({ answer }) => answer.status)).toEqual([101, 101]);
    expect(asked).toBe(2);
    expect(await isServing(app)).toBe(true);
  });

  it('of a peer that resets while it is pending ends nothing', async () => {
    const asked = deferred();
    const gate = deferred();
    const authenticate = async ({ token }: LoopRequest) => {
      if (token === 'newcomer') return { accountId: token };
      asked.resolve();
      await gate.promise;
      return { accountId: 'gone' };
    };
    const app = await startLoopApp({ options: { authenticate } });
    const peer = await RawPeer.dial(app.port);
    peer.send(upgradeRequest(app.port));
    await asked.promise;
    peer.socket.resetAndDestroy();
    await once(peer.socket, 'close');
    gate.resolve();
    expect(await isServing(app)).toBe(true);
    await eventually('the newcomer is gone', () => app.get(ConnectionRegistry).size === 0);
  });
});

describe('many upgrades that are read in one turn', () => {
  it('P6: begin in several turns, so that they do not stop everything else', async () => {
    const peersCount = 40;
    let asked = 0;
    const authenticate = ({ token }: LoopRequest) => {
      asked++;
      return { accountId: token! };
    };
    const { app, port } = await startLoopApp({ options: { authenticate } });
    const server = app.getHttpServer() as Server;
    const accepted = (): Promise<number> => promisify(server.getConnections.bind(server))();
    const peers = await Promise.all(Array.from({ length: peersCount }, () => RawPeer.dial(port)));
    await eventually('all are accepted', async () => (await accepted()) === peersCount);
    const watch = watchTurns(() => asked, peersCount);
    for (const peer of peers) peer.send(upgradeRequest(port));
    await eventually('all have been asked', () => asked === peersCount);
    expect(watch.most).toBeLessThanOrEqual(4);
  });
});

describe('frames right behind the upgrade', () => {
  class Recorder {
    readonly seen: unknown[] = [];
    readonly gate = deferred();

    @OnLoopConnect()
    async connect(connection: LoopConnection): Promise<void> {
      this.seen.push('connecting');
      connection.send('chat:hello', 'during connect');
      await this.gate.promise;
      connection.data.ready = true;
      this.seen.push('connected');
    }

    @OnLoopEvent('chat:say')
    say(text: string, connection: LoopConnection): string {
      this.seen.push([text, connection.data.ready]);
      return text;
    }
  }

  it('are kept in order, and handled after authentication and @OnLoopConnect', async () => {
    const asked = deferred();
    const auth = deferred();
    const authenticate = async ({ token }: LoopRequest) => {
      asked.resolve();
      await auth.promise;
      return { accountId: token! };
    };
    const app = await startLoopApp({ providers: [Recorder], options: { authenticate } });
    const recorder = app.get(Recorder);
    const behind = Buffer.concat(
      [1, 2, 3].map((n) => textFrame({ event: 'chat:say', data: `n${n}`, id: n })),
    );
    const upgrading = RawPeer.upgrade(app.port, { behind });
    await asked.promise;
    expect(recorder.seen).toEqual([]);
    auth.resolve();
    const peer = await upgrading;
    await eventually('the hook', () => recorder.seen.length > 0);
    peer.sendText({ event: 'chat:say', data: 'n4', id: 4 });
    expect(recorder.seen).toEqual(['connecting']);
    expect(peer.texts).toEqual([]);
    recorder.gate.resolve();
    await peer.next('the last reply', (frame) => 'id' in frame && frame.id === 4);
    expect(recorder.seen).toEqual([
      'connecting',
      'connected',
      ...[1, 2, 3, 4].map((n) => [`n${n}`, true]),
    ]);
    expect(peer.texts.map((frame) => frame.op ?? frame.event)).toEqual([
      'welcome',
      'chat:hello',
      'reply',
      'reply',
      'reply',
      'reply',
    ]);
  });

  it('are never handled when the peer is refused', async () => {
    const app = await startLoopApp({ providers: [Recorder] });
    const behind = textFrame({ event: 'chat:say', data: 'sneaked in', id: 1 });
    expect((await refusal(app, { token: '', behind })).status).toBe(401);
    app.get(Recorder).gate.resolve();
    expect(await isServing(app)).toBe(true);
    expect(app.get(Recorder).seen).toEqual(['connecting', 'connected']); // the honest one
  });
});

describe('admission', () => {
  it('takes as many connections of one account as it may have, even at once; then 429', async () => {
    const app = await startLoopApp({ options: { config: { maxConnectionsPerAccount: 3 } } });
    const peers = await Promise.all(Array.from({ length: 8 }, () => RawPeer.upgrade(app.port)));
    const statuses = peers.map(({ answer }) => answer.status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([101, 101, 101, 429, 429, 429, 429, 429]);
    const refused = peers.find(({ answer }) => answer.status === 429)!;
    expect(Number(refused.answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await isServing(app)).toBe(true);
    cutRawPeers();
    await eventually('the places are free again', async () => {
      return (await RawPeer.upgrade(app.port)).answer.status === 101;
    });
  });

  it('answers 503 with Retry-After when the server is full, and has room again afterwards', async () => {
    const app = await startLoopApp({ options: { config: { maxConnections: 2 } } });
    const [first] = [await RawPeer.open(app.port), await RawPeer.open(app.port)];
    const answer = await refusal(app);
    expect(answer.status).toBe(503);
    expect(answer.headers.has('retry-after')).toBe(true);
    first.socket.destroy();
    await eventually(
      'a free place',
      async () => (await RawPeer.upgrade(app.port)).answer.status === 101,
    );
  });

  it('spreads a rush of upgrades with 503 and disturbs no open connection', async () => {
    const config = { upgradeBurst: 5, upgradesPerSecond: 1 };
    const app = await startLoopApp({ options: { config } });
    const honest = await app.client('honest');
    const peers = await Promise.all(Array.from({ length: 40 }, () => RawPeer.upgrade(app.port)));
    const admitted = peers.filter(({ answer }) => answer.status === 101).length;
    expect(admitted).toBe(4);
    expect(peers.filter(({ answer }) => answer.status === 503)).toHaveLength(36);
    expect(await honest.ask({ op: 'ping' })).toMatchObject({ op: 'pong' });
  });
});

describe('a second connection with the same identity', () => {
  it('replaces the first, which closes with 4509, and alone gets what is pushed', async () => {
    const app = await startLoopApp();
    const first = await app.client('acme', { connectionId: 'phone' });
    const second = await app.client('acme', { connectionId: 'phone' });
    expect((await first.closed).code).toBe(4509);
    expect(await app.get(EventBus).pushToConnection('acme', 'phone', 'chat:n', 1)).toBe(
      'delivered',
    );
    expect(await second.next('chat:n')).toBe(1);
    expect(app.get(ConnectionRegistry).size).toBe(1);
  });

  it('leaves exactly one when many arrive at once', async () => {
    const app = await startLoopApp();
    const peers = await Promise.all(
      Array.from({ length: 10 }, () => RawPeer.open(app.port, { path: '/ws?connectionId=phone' })),
    );
    await eventually(
      'one left',
      () => peers.filter(({ close }) => close === undefined).length === 1,
    );
    const closes = peers.flatMap(({ close }) => (close === undefined ? [] : [close.code]));
    expect(closes).toEqual(Array.from({ length: 9 }, () => 4509));
    expect(app.get(ConnectionRegistry).size).toBe(1);
    expect(await isServing(app)).toBe(true);
  });

  it.each([
    ['different accounts', ['a', 'x'], ['b', 'x']],
    ['a separator in the account', ['a:b', 'c'], ['a', 'b:c']],
    ['composed and decomposed letters', ['é', 'x'], ['e\u0301', 'x']],
    ['a name that objects have', ['__proto__', 'constructor'], ['constructor', '__proto__']],
    ['a question mark', ['a', 'x?y'], ['a', 'x']],
    ['wildcards', ['*', '*'], ['a', '*']],
  ])('is not found where ids merely look alike: %s', async (_what, one, other) => {
    const authenticate = ({ query }: LoopRequest) => ({ accountId: query.get('account')! });
    const app = await startLoopApp({ options: { authenticate } });
    const paths = [one, other].map(
      ([account, id]) =>
        `/ws?account=${encodeURIComponent(account!)}&connectionId=${encodeURIComponent(id!).replace('%3F', '?')}`,
    );
    const peers = [await RawPeer.open(app.port, { path: paths[0]! })];
    peers.push(await RawPeer.open(app.port, { path: paths[1]! }));
    const registry = app.get(ConnectionRegistry);
    expect([...registry].map((c) => [c.accountId, c.connectionId])).toEqual([one, other]);
    expect(await app.bus.pushToConnection(one[0]!, one[1]!, 'chat:n', 1)).toBe('delivered');
    await peers[0]!.next('its push', (frame) => frame.op === undefined);
    peers[1]!.sendText({ op: 'ping', id: 9 });
    await peers[1]!.next('a pong', ({ op }) => op === 'pong');
    expect(peers[1]!.texts.some(({ op }) => op === undefined)).toBe(false);
  });
});

describe('by default', () => {
  it('compression is declined though it is offered', async () => {
    const app = await startLoopApp();
    const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };
    const peer = await RawPeer.open(app.port, { headers: offer });
    expect(peer.answer.headers.has('sec-websocket-extensions')).toBe(false);
  });

  it('a frame of 64 KiB is taken, and one byte more closes with 1009', async () => {
    const app = await startLoopApp();
    const fits = JSON.stringify({ op: 'ping', id: 1, pad: '' });
    const pad = 'x'.repeat(65_536 - fits.length);
    const peer = await RawPeer.open(app.port);
    peer.sendText({ op: 'ping', id: 1, pad });
    await peer.next('a pong', ({ op }) => op === 'pong');
    peer.sendText({ op: 'ping', id: 1, pad: `${pad}x` });
    expect(await peer.closeCode()).toBe(1009);
    expect(await isServing(app)).toBe(true);
  });

  it('the first frame is the welcome, even before pongs that were asked for earlier', async () => {
    const app = await startLoopApp();
    const peer = await RawPeer.upgrade(app.port, { behind: textFrame({ op: 'ping', id: 1 }) });
    await peer.next('a pong', ({ op }) => op === 'pong');
    expect(peer.texts.map(({ op }) => op)).toEqual(['welcome', 'pong']);
  });

  it('a standard client connects and is closed cleanly', async () => {
    const app = await startLoopApp();
    const socket = new WebSocket(app.url, ['loopws.v1', 'bearer.acme']);
    await once(socket, 'message');
    socket.close(1000);
    expect((await once(socket, 'close'))[0]).toBe(1000);
    await eventually('it is gone', () => app.get(ConnectionRegistry).size === 0);
  });
});

function raise(error: unknown): never {
  throw error;
}
