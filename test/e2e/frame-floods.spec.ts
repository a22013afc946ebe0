import { ConnectionRegistry, OnLoopEvent } from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, Opcode, rawFrame, RawPeer, textFrame } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
});

const { Binary, Close, Ping, Pong } = Opcode;

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
    await eventually('everything freed', () => app.get(ConnectionRegistry).size === 0);
    slow.gate.resolve();
    expect(await isServing(app)).toBe(true);
    expect(slow.order).toEqual([0]);
  });
});

describe('P6: a long frame', () => {
  it('counts against the rate once per 4 KiB or part of it', async () => {
    const config = { framesPerSecond: 1, frameBurst: 50, refusalsPerMinute: 1 };
    const app = await startLoopApp({ options: { config } });
    const peer = await RawPeer.open(app.port);
    const ping = { op: 'ping', pad: 'x'.repeat(64_000) }; // 16 times 4 KiB
    for (let n = 0; n < 50; n++) peer.sendText(ping);
    expect(await peer.closeCode()).toBe(4429);
    expect(peer.texts.filter(({ op }) => op === 'pong')).toHaveLength(4);
  });
});

describe('P6: a short frame that resumes many topics', () => {
  it('counts against the rate once more per topic', async () => {
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
