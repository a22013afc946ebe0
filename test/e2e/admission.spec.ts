import { once } from 'node:events';
import { jest } from '@jest/globals';
import { WebSocket } from 'ws';
import { ConnectionRegistry, type LoopRequest } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, RawPeer, refusal, textFrame } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
  jest.restoreAllMocks();
});

describe('admission', () => {
  it('P6: takes as many connections of one account as it may have, even at once; then 429', async () => {
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

  it('P6: answers 503 with Retry-After when the server is full, and has room again afterwards', async () => {
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

  it('P6: spreads a rush of upgrades with 503 and disturbs no open connection', async () => {
    const config = { upgradeBurst: 5, upgradesPerSecond: 1 };
    const app = await startLoopApp({ options: { config } });
    const now = performance.now();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(now); // so that the rush takes no time
    const honest = await app.client('honest');
    const peers = await Promise.all(Array.from({ length: 40 }, () => RawPeer.upgrade(app.port)));
    clock.mockRestore();
    const admitted = peers.filter(({ answer }) => answer.status === 101).length;
    expect(admitted).toBe(4);
    expect(peers.filter(({ answer }) => answer.status === 503)).toHaveLength(36);
    expect(await honest.ask({ op: 'ping' })).toMatchObject({ op: 'pong' });
  });
});

describe('a second connection with the same identity', () => {
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
