import type { Server } from 'node:http';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import {
  ConnectionRegistry,
  type LoopConnection,
  type LoopRequest,
  OnLoopConnect,
  OnLoopEvent,
} from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, RawPeer, refusal, textFrame, upgradeRequest } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';
import { watchTurns } from '../support/turn-watch.js';

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
  jest.restoreAllMocks();
});

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
    ['hundreds of headers', { 'X-Many': Array.from({ length: 500 }, (_, n) => `${n}`) }],
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
