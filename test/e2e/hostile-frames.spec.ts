import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ConnectionRegistry } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
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

const { Continuation, Text, Close, Ping, Pong } = Opcode;
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
