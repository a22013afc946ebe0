import { once } from 'node:events';
import { constants, deflateRawSync } from 'node:zlib';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import {
  type ConnectionClose,
  ConnectionRegistry,
  type LoopConnection,
  OnLoopDisconnect,
  OnLoopEvent,
} from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, Opcode, rawFrame, RawPeer, textFrame } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';

let logged: string[];

beforeEach(() => {
  logged = [];
  for (const level of ['warn', 'error'] as const) {
    jest
      .spyOn(Logger.prototype, level)
      .mockImplementation((...line) => void logged.push(line.join()));
  }
});

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
  jest.restoreAllMocks();
});

async function expectGone(app: LoopApp): Promise<void> {
  await eventually('everything freed', () => app.get(ConnectionRegistry).size === 0);
}

const { Continuation, Text, Binary, Close, Ping, Pong } = Opcode;
const HUGE = Buffer.from([0x81, 0xff, 0, 0, 0, 0xff, 0, 0, 0, 0]); // claims 1 TiB
const BAD_UTF8 = Buffer.from([0xc3, 0x28]);

describe('P6: what RFC 6455 forbids closes this connection alone:', () => {
  it.each<[string, Buffer[], number]>([
    ['a frame that claims 1 TiB', [HUGE], 1009],
    ['a frame above maxPayload', [rawFrame('x'.repeat(65_537))], 1009],
    [
      'fragments that are too long together',
      [
        rawFrame('x'.repeat(40_000), { fin: false }),
        rawFrame('x'.repeat(40_000), { opcode: Continuation }),
      ],
      1009,
    ],
    [
      'more fragments than maxFragments',
      [
        rawFrame('[', { fin: false }),
        ...Array.from({ length: 64 }, () => rawFrame('1', { opcode: Continuation, fin: false })),
      ],
      1008,
    ],
    ['a frame without a mask', [rawFrame('{}', { masked: false })], 1002],
    ['a reserved bit', [rawFrame('{}', { reservedBits: 0x40 })], 1002],
    ['all reserved bits', [rawFrame('{}', { reservedBits: 0x70 })], 1002],
    ['a reserved opcode', [rawFrame('{}', { opcode: 0x3 })], 1002],
    ['a reserved control opcode', [rawFrame('', { opcode: 0xb })], 1002],
    ['a ping of 126 bytes', [rawFrame('x'.repeat(126), { opcode: Ping })], 1002],
    ['a ping in fragments', [rawFrame('x', { opcode: Ping, fin: false })], 1002],
    ['a continuation of nothing', [rawFrame('x', { opcode: Continuation })], 1002],
    ['a message inside a message', [rawFrame('[', { fin: false }), rawFrame('{}')], 1002],
    ['text that is not UTF-8', [rawFrame(BAD_UTF8)], 1007],
    ['text that breaks off inside a character', [rawFrame(Buffer.from([0x22, 0xe2, 0x82]))], 1007],
    ['a close with half a code', [rawFrame(Buffer.from([3]), { opcode: Close })], 1002],
    ['a close with code 999', [rawFrame(Buffer.from([3, 231]), { opcode: Close })], 1002],
    ['a close with code 1005', [rawFrame(Buffer.from([3, 237]), { opcode: Close })], 1002],
    [
      'a close reason that is not UTF-8',
      [rawFrame(Buffer.from([3, 232, 0xc3, 0x28]), { opcode: Close })],
      1007,
    ],
    ['HTTP behind the upgrade', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 1002],
  ])('%s', async (_what, frames, code) => {
    const app = await startLoopApp();
    const other = await app.client('other');
    const peer = await RawPeer.open(app.port);
    for (const frame of frames) peer.send(frame);
    expect(await peer.closeCode()).toBe(code);
    expect(await other.ask({ op: 'ping' })).toMatchObject({ op: 'pong' });
    await eventually('it is gone', () => app.get(ConnectionRegistry).size === 1);
    expect(await app.bus.pushToAccount('acme', 'chat:n', 1)).toMatchObject({ delivered: 0 });
  });

  it('while as many fragments as maxFragments are one message, with pings between them', async () => {
    const app = await startLoopApp();
    const peer = await RawPeer.open(app.port);
    const text = JSON.stringify({ op: 'ping', id: 'x'.repeat(45) });
    expect(text).toHaveLength(66);
    const parts = [text.slice(0, 3), ...text.slice(3).split('')];
    parts.forEach((part, index) => {
      const fin = index === parts.length - 1;
      peer.send(rawFrame(part, { opcode: index === 0 ? Text : Continuation, fin }));
      if (index === 5) peer.send(rawFrame('between', { opcode: Ping }));
    });
    await peer.next('a pong', ({ op }) => op === 'pong');
    expect(peer.frames.find(({ opcode }) => opcode === Pong)?.payload.toString()).toBe('between');
  });

  it('and a hundred such peers cannot fill the log', async () => {
    const app = await startLoopApp();
    const peers = await Promise.all(Array.from({ length: 100 }, () => RawPeer.open(app.port)));
    for (const peer of peers) peer.send(rawFrame('\r\nFORGED LOG LINE', { opcode: 0x3 }));
    for (const peer of peers) expect(await peer.closeCode()).toBe(1002);
    expect(await isServing(app)).toBe(true);
    expect(logged.length).toBeLessThanOrEqual(2);
    expect(logged.join()).not.toContain('FORGED');
  });
});

describe('P6: a peer that goes away rudely is freed at once, and nothing is thrown:', () => {
  it.each<[string, (peer: RawPeer) => void]>([
    ['a reset', ({ socket }) => socket.resetAndDestroy()],
    ['a cut', ({ socket }) => socket.destroy()],
    [
      'half a frame, then a cut',
      (peer) => peer.socket.end(textFrame({ op: 'ping' }).subarray(0, 4)),
    ],
    [
      'half a header, then a reset',
      ({ socket }) => socket.write(Buffer.from([0x81]), () => socket.resetAndDestroy()),
    ],
    ['a FIN without a close frame', ({ socket }) => socket.end()],
    [
      'a close frame, then a reset',
      ({ socket }) => socket.write(rawFrame('', { opcode: Close }), () => socket.resetAndDestroy()),
    ],
  ])('%s', async (_what, leave) => {
    const app = await startLoopApp();
    const peer = await RawPeer.open(app.port);
    leave(peer);
    await expectGone(app);
    expect(await app.bus.pushToAccount('acme', 'chat:n', 1)).toMatchObject({
      delivered: 0,
      failed: 0,
    });
    expect(await isServing(app)).toBe(true);
  });

  it('P5: nothing is called delivered, or written, after the closing handshake', async () => {
    const app = await startLoopApp();
    const peer = await RawPeer.open(app.port, { allowHalfOpen: true });
    peer.send(rawFrame(Buffer.from([3, 232]), { opcode: Close }));
    expect(await peer.closeCode()).toBe(1000);
    const frames = peer.frames.length;
    expect(await app.bus.pushToAccount('acme', 'chat:n', 1)).toMatchObject({ delivered: 0 });
    await eventually('the end', () => peer.ended || peer.isGone);
    expect(peer.frames).toHaveLength(frames);
    expect(await isServing(app)).toBe(true);
  });
});

describe('P6: compression, where it is switched on,', () => {
  function deflated(text: string): Buffer {
    return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  }

  const COMPRESSED = {
    headers: {
      'Sec-WebSocket-Extensions':
        'permessage-deflate; client_no_context_takeover; server_no_context_takeover',
    },
  };

  it('ends a bomb with 1009 before it unfolds', async () => {
    const app = await startLoopApp({ options: { config: { compression: true } } });
    const peer = await RawPeer.open(app.port, COMPRESSED);
    expect(peer.answer.headers.get('sec-websocket-extensions')).toContain('permessage-deflate');
    const bomb = deflated(`"${'x'.repeat(50_000_000)}"`);
    expect(bomb.length).toBeLessThan(65_536);
    peer.send(rawFrame(bomb, { reservedBits: 0x40 }));
    expect(await peer.closeCode()).toBe(1009);
    expect(await isServing(app)).toBe(true);
  });

  it('ends what is no deflate stream with 1007, and serves who speaks properly', async () => {
    const app = await startLoopApp({ options: { config: { compression: true } } });
    const [liar, honest] = [
      await RawPeer.open(app.port, COMPRESSED),
      await RawPeer.open(app.port, COMPRESSED),
    ];
    liar.send(rawFrame('not deflate', { reservedBits: 0x40 }));
    expect(await liar.closeCode()).toBe(1007);
    honest.send(rawFrame(deflated('{"op":"ping","id":1}'), { reservedBits: 0x40 }));
    await honest.next('a pong', ({ op }) => op === 'pong');
    expect(await isServing(app)).toBe(true);
  });

  it('loses no order and no frame when a slow reader catches up', async () => {
    const app = await startLoopApp({
      options: { config: { compression: true, maxQueueBytes: 50_000_000 } },
    });
    const client = await app.client('acme'); // the ws package compresses by default
    const count = 200;
    const noise = () =>
      Buffer.from(Array.from({ length: 20_000 }, () => 33 + Math.random() * 90)).toString();
    const pushes = Array.from({ length: count }, (_, n) =>
      app.bus.pushToAccount('acme', 'chat:n', { n, noise: noise() }),
    );
    for (let n = 0; n < count; n++) expect(await client.next('chat:n')).toMatchObject({ n });
    expect((await Promise.all(pushes)).every(({ delivered }) => delivered === 1)).toBe(true);
  });
});

describe('P6: a flood', () => {
  const config = { framesPerSecond: 10, frameBurst: 50, refusalsPerMinute: 5 };

  it.each<[string, Buffer, boolean]>([
    ['pings, read', rawFrame('p'.repeat(125), { opcode: Ping }), true],
    ['pings, not read', rawFrame('p'.repeat(125), { opcode: Ping }), false],
    ['pongs that nobody asked for', rawFrame('', { opcode: Pong }), true],
    ['pings of the protocol, not read', textFrame({ op: 'ping', id: 1 }), false],
    ['subscriptions', textFrame({ op: 'subscribe', patterns: ['chat:a'] }), true],
    ['binary frames', rawFrame('x', { opcode: Binary }), true],
  ])('of %s is answered within the rate and ends with a close', async (_what, frame, reads) => {
    const app = await startLoopApp({ options: { config } });
    const other = await app.client('other');
    const peer = await RawPeer.open(app.port);
    if (!reads) peer.socket.pause();
    peer.send(Buffer.concat(Array.from({ length: 5_000 }, () => frame)));
    await eventually('it is closed', () => app.get(ConnectionRegistry).size === 1);
    peer.socket.resume();
    expect([4429, 4500]).toContain(await peer.closeCode());
    const answers = peer.frames.filter(({ opcode }) => opcode !== Close).length - 1; // the welcome
    expect(answers).toBeLessThanOrEqual(50 + 10 + 6); // the burst, a second's refill, the refusals
    expect(await other.ask({ op: 'ping' })).toMatchObject({ op: 'pong' });
  });
});

describe('P6: a long frame', () => {
  it('counts against the rate as one per started 4 KiB', async () => {
    const config = { framesPerSecond: 1, frameBurst: 50, refusalsPerMinute: 1 };
    const app = await startLoopApp({ options: { config } });
    const peer = await RawPeer.open(app.port);
    const ping = { op: 'ping', pad: 'x'.repeat(64_000) }; // 16 times 4 KiB
    for (let n = 0; n < 50; n++) peer.sendText(ping);
    expect(await peer.closeCode()).toBe(4429);
    expect(peer.texts.filter(({ op }) => op === 'pong')).toHaveLength(4);
  });
});

describe('P6: a short frame that names many topics to go on from', () => {
  it('counts against the rate as one more per topic', async () => {
    const config = { framesPerSecond: 1, frameBurst: 50, refusalsPerMinute: 1 };
    const app = await startLoopApp({ options: { config } });
    const peer = await RawPeer.open(app.port);
    const since = Object.fromEntries(Array.from({ length: 19 }, (_, n) => [`room:${n}`, '1.a']));
    for (let n = 0; n < 50; n++) peer.sendText({ op: 'subscribe', patterns: [], since });
    expect(await peer.closeCode()).toBe(4429);
    expect(peer.texts.filter(({ op }) => op === 'ok').length).toBeLessThanOrEqual(3);
    const refused = peer.texts.filter((frame) => 'code' in frame && frame.code === 'rate_limited');
    expect(refused.length).toBeGreaterThan(0);
  });
});

describe('P6: requests to a slow handler', () => {
  class Slow {
    readonly gate = deferred();
    readonly order: number[] = [];
    running = 0;
    most = 0;

    @OnLoopEvent('chat:slow')
    async slow(data: { n: number }): Promise<number> {
      this.most = Math.max(this.most, ++this.running);
      await this.gate.promise;
      this.order.push(data.n);
      this.running--;
      return data.n;
    }
  }

  it('run as many at once as handlersInFlight, keep their order, and hold the rest in the peer', async () => {
    const config = { frameBurst: 100_000, framesPerSecond: 100_000, maxQueuedFrames: 8 };
    const app = await startLoopApp({ providers: [Slow], options: { config } });
    const slow = app.get(Slow);
    const other = await app.client('other');
    const peer = await RawPeer.open(app.port);
    const count = 400;
    const pad = 'x'.repeat(60_000); // 24 MB in all: more than any kernel buffers
    for (let n = 0; n < count; n++) peer.sendText({ event: 'chat:slow', id: n, data: { n, pad } });
    await eventually('the first request', () => slow.running === 1);
    await eventually('nothing is read any more', async () => {
      const before = peer.socket.writableLength;
      for (let n = 0; n < 20; n++) await other.ask({ op: 'ping' });
      return peer.socket.writableLength === before;
    });
    expect(peer.socket.writableLength).toBeGreaterThan(1_000_000);
    slow.gate.resolve();
    await peer.next('the last reply', (frame) => 'id' in frame && frame.id === count - 1);
    expect(slow.most).toBe(1);
    expect(slow.order).toEqual(Array.from({ length: count }, (_, n) => n));
    const replies = peer.texts.flatMap((frame) => (frame.op === 'reply' ? [frame.id] : []));
    expect(replies).toEqual(slow.order);
  });

  it('are dropped when their connection is gone, all but those that run', async () => {
    const app = await startLoopApp({ providers: [Slow] });
    const slow = app.get(Slow);
    const peer = await RawPeer.open(app.port);
    for (let n = 0; n < 10; n++) peer.sendText({ event: 'chat:slow', id: n, data: { n } });
    await eventually('the first request', () => slow.running === 1);
    peer.socket.destroy();
    await expectGone(app);
    slow.gate.resolve();
    expect(await isServing(app)).toBe(true);
    expect(slow.order).toEqual([0]);
  });
});

describe('our own close', () => {
  class Closer {
    readonly closes: ConnectionClose[] = [];

    @OnLoopEvent('chat:close')
    close([code, reason]: [number, string], connection: LoopConnection): string {
      connection.close(code, reason);
      connection.close(4000, 'a second time');
      connection.send('chat:n', 'too late');
      return 'too late';
    }

    @OnLoopDisconnect()
    left(_connection: LoopConnection, close: ConnectionClose): void {
      this.closes.push(close);
    }
  }

  it.each<[string, number, unknown, number, number]>([
    ['a code of the application', 4000, 'Bye.', 4000, 4],
    ['a code that nobody may send', 1005, '', 1011, 0],
    ['a code beyond every range', 5000, '', 1011, 0],
    ['a code that is no number', NaN, '', 1011, 0],
    ['a reason of 10 KB', 4000, 'x'.repeat(10_000), 4000, 123],
    ['a reason of long characters', 4000, '😀'.repeat(100), 4000, 120],
    ['a reason with half a surrogate pair', 4000, '\ud800', 4000, 3],
    ['a reason that is a number', 4000, 42, 4000, 0],
    ['a reason that is null', 4000, null, 4000, 0],
    ['a reason that is a list', 4000, [1, 2], 4000, 0],
  ])(
    'with %s never throws, and what came before it is still sent',
    async (_what, code, reason, told, bytes) => {
      const app = await startLoopApp({ providers: [Closer] });
      const peer = await RawPeer.open(app.port);
      const pushed = app.bus.pushToAccount('acme', 'chat:before', 1);
      expect((await pushed).delivered).toBe(1);
      const [connection] = app.get(ConnectionRegistry);
      connection!.close(code, reason as string);
      expect(await peer.closeCode()).toBe(told);
      expect(Buffer.byteLength(peer.close!.reason)).toBe(bytes);
      expect(peer.texts.at(-1)).toEqual({ event: 'chat:before', data: 1 });
      await eventually('the hook', () => app.get(Closer).closes.length === 1);
      expect(app.get(Closer).closes[0]!.code).toBe(told);
    },
  );

  it('is the last word: nothing is sent or handled after it', async () => {
    const app = await startLoopApp({ providers: [Closer] });
    const peer = await RawPeer.open(app.port);
    peer.send(
      Buffer.concat([
        textFrame({ event: 'chat:close', data: [4001, 'Bye.'], id: 1 }),
        textFrame({ event: 'chat:close', data: [4002, 'Again.'], id: 2 }),
        textFrame({ op: 'ping', id: 3 }),
      ]),
    );
    expect(await peer.closeCode()).toBe(4001);
    peer.sendText({ op: 'ping', id: 4 });
    expect(peer.frames.at(-1)!.opcode).toBe(Close);
    expect(peer.texts.flatMap((frame) => ('id' in frame ? [frame.id] : []))).toEqual([3]);
    expect(app.get(Closer).closes).toEqual([{ code: 4001, reason: 'Bye.' }]);
  });

  it('cuts a peer that does not answer it within closeTimeoutMs', async () => {
    const app = await startLoopApp({ options: { config: { closeTimeoutMs: 50 } } });
    const peer = await RawPeer.open(app.port, { allowHalfOpen: true });
    const cut = once(peer.socket, 'close');
    await app.bus.disconnect('acme');
    expect(await peer.closeCode()).toBe(4503);
    await eventually('the end of the socket', () => peer.ended);
    peer.socket.end();
    await cut;
    expect(await isServing(app)).toBe(true);
  });
});

describe('credentials that expire', () => {
  it('close with 4501, and nothing is delivered or handled after', async () => {
    const seen: unknown[] = [];
    class Listener {
      @OnLoopEvent('chat:say')
      say(data: unknown): void {
        seen.push(data);
      }
    }
    const authenticate = ({ token }: { token: string | undefined }) => ({
      accountId: token!,
      ...(token === 'brief' ? { expiresAt: Date.now() + 1_500 } : {}),
    });
    const app = await startLoopApp({ options: { authenticate }, providers: [Listener] });
    const peer = await RawPeer.open(app.port, { token: 'brief' });
    expect(peer.texts[0]).toMatchObject({ expiresInMs: expect.any(Number) });
    expect(await peer.closeCode()).toBe(4501);
    peer.sendText({ event: 'chat:say', data: 'late' });
    expect((await app.bus.pushToAccount('brief', 'chat:n', 1)).delivered).toBe(0);
    expect(await isServing(app)).toBe(true);
    expect(seen).toEqual([]);
    expect(peer.frames.at(-1)!.opcode).toBe(Close);
  });
});
