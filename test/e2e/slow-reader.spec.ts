import { setImmediate as turn } from 'node:timers/promises';
import { jest } from '@jest/globals';
import {
  type ConnectionClose,
  ConnectionRegistry,
  type LoopConnection,
  OnLoopConnect,
  OnLoopDisconnect,
} from '../../lib/index.js';
import { MemoryCluster } from '../../lib/testing/index.js';
import { moveClockOn } from '../support/clock.js';
import { closeCountedFronts, countedPeer, startCountedFront } from '../support/counted-front.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { upTo } from '../support/numbers.js';
import { cutRawPeers, RawPeer } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';

afterEach(async () => {
  jest.restoreAllMocks();
  cutRawPeers();
  closeCountedFronts();
  await closeLoopApps();
});

class Leavers {
  readonly closes: ConnectionClose[] = [];

  @OnLoopDisconnect()
  left(_connection: LoopConnection, close: ConnectionClose): void {
    this.closes.push(close);
  }
}

const MAX_QUEUE = 200_000;
const LIMITS = { maxQueueBytes: MAX_QUEUE, maxEventBytes: MAX_QUEUE, closeTimeoutMs: 100 };

async function start(config: object = LIMITS): Promise<LoopApp> {
  return startLoopApp({ providers: [Leavers], options: { config } });
}

function startIn(cluster: MemoryCluster): Promise<LoopApp> {
  return startLoopApp({ options: { transport: cluster.transport(), config: LIMITS } });
}

function numbersOf(peer: RawPeer): unknown[] {
  return peer.texts.flatMap((frame) => (frame.op === undefined ? [dataOf(frame.data)] : []));
}

function dataOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'n' in data ? data.n : data;
}

describe('P6: a reader that does not read', () => {
  it('costs at most maxQueueBytes, is closed with 4413, and nobody else notices', async () => {
    const app = await start();
    const [, stream] = await countedPeer(app, 'slow');
    const other = await app.client('other');
    stream.stick();
    const payload = 'x'.repeat(10_000);
    let accepted = 0;
    let sent = 0;
    for (let failed = 0; failed === 0 && sent < 100; sent++) {
      const report = await app.bus.pushToChannel('chat:n', { n: sent, payload });
      expect(report.delivered + report.failed).toBe(2);
      failed = report.failed;
      accepted += report.delivered - 1;
      expect(stream.writableLength).toBeLessThanOrEqual(MAX_QUEUE);
    }
    expect(accepted).toBe(Math.floor(MAX_QUEUE / 10_060)); // one frame more would not fit
    expect(await app.bus.pushToChannel('chat:n', { n: sent++ })).toMatchObject({
      delivered: 1,
      failed: 0,
    });
    for (let n = 0; n < sent; n++) expect(await other.next('chat:n')).toMatchObject({ n });
    expect(app.get(Leavers).closes).toEqual([{ code: 4413, reason: 'The reader is too slow.' }]);
    expect(stream.writableLength).toBeLessThanOrEqual(MAX_QUEUE + 100); // what was accepted, and the close
    await eventually('the socket is cut', () => stream.destroyed);
    expect(await isServing(app)).toBe(true);
  });

  it('gets what was accepted of short frames, each in a turn of its own, and costs no more', async () => {
    const app = await start();
    const [peer, stream] = await countedPeer(app, 'slow');
    stream.stick();
    const payload = 'x'.repeat(400);
    let accepted = 0;
    while ((await app.bus.pushToAccount('slow', 'chat:n', { n: accepted, payload })).failed === 0) {
      accepted++;
      await turn();
      expect(stream.writableLength).toBeLessThanOrEqual(MAX_QUEUE);
    }
    expect(accepted).toBeGreaterThan(MAX_QUEUE / 500);
    expect(accepted).toBeLessThan(MAX_QUEUE / 400);
    stream.unstick();
    await eventually('the close', () => peer.close !== undefined);
    expect(peer.close).toMatchObject({ code: 4413 });
    expect(numbersOf(peer)).toEqual(upTo(accepted));
  });

  it.each(['its own server', 'another server'])(
    'P5: a push to it that has no room is send_failed for %s, and the next one not_connected',
    async (publisher) => {
      const cluster = new MemoryCluster();
      const [home, away] = [await startIn(cluster), await startIn(cluster)];
      const { bus } = publisher === 'another server' ? away : home;
      const front = await startCountedFront(home);
      await RawPeer.open(front.port, { token: 'slow', path: '/ws?connectionId=phone' });
      front.streams[0]!.stick();
      const push = (size: number) =>
        bus.pushToConnection('slow', 'phone', 'chat:n', 'x'.repeat(size));
      expect(await push(MAX_QUEUE / 2)).toBe('delivered');
      expect(await push(MAX_QUEUE / 2)).toBe('send_failed');
      expect(await push(1)).toBe('not_connected');
    },
  );

  it('over plain TCP is closed with 4413 once its kernel buffers are full; delivered frames came in order', async () => {
    const app = await start();
    const peer = await RawPeer.open(app.port, { token: 'slow' });
    const other = await app.client('other');
    peer.socket.pause();
    const payload = 'x'.repeat(100_000);
    let delivered = 0;
    let sent = 0;
    for (let failed = 0; failed === 0 && sent < 500; sent++) {
      const report = await app.bus.pushToChannel('chat:n', { n: sent, payload });
      failed = report.failed;
      delivered += report.delivered - 1;
      expect(await other.next('chat:n')).toMatchObject({ n: sent });
    }
    expect(sent).toBeLessThan(500);
    expect(app.get(Leavers).closes).toMatchObject([{ code: 4413 }]);
    peer.socket.resume();
    await eventually('the end', () => peer.isGone || peer.ended);
    const seen = numbersOf(peer);
    expect(seen).toEqual(upTo(seen.length));
    expect(seen.length).toBeLessThanOrEqual(delivered);
    expect(await isServing(app)).toBe(true);
  });

  it('is not confused with one that reads, to whom more is pushed in one turn than the queue holds', async () => {
    const app = await start();
    const reader = await app.client('acme');
    const pad = 'x'.repeat(9_000);
    for (const n of upTo(60)) {
      expect(await app.bus.pushToAccount('acme', 'chat:n', { n, pad })).toMatchObject({
        delivered: 1,
      });
    }
    for (const n of upTo(60)) expect(await reader.next('chat:n')).toMatchObject({ n });
  });

  it('that reads again in time misses nothing and keeps the order', async () => {
    const app = await start();
    const [peer, stream] = await countedPeer(app, 'slow');
    stream.stick();
    const payload = 'x'.repeat(9_000);
    for (const n of upTo(20)) {
      expect(await app.bus.pushToAccount('slow', 'chat:n', { n, payload })).toMatchObject({
        delivered: 1,
      });
    }
    expect(stream.writableLength).toBeLessThan(100_000); // the rest waits where it can still expire
    stream.unstick();
    await eventually('all of them', () => numbersOf(peer).length === 20);
    expect(numbersOf(peer)).toEqual(upTo(20));
    expect(peer.close).toBeUndefined();
  });

  it('among many delays nobody: the others have everything while it is still stuck', async () => {
    const app = await start();
    const front = await startCountedFront(app);
    const stuck = await Promise.all(upTo(4).map(() => RawPeer.open(front.port)));
    const readers = await Promise.all(upTo(36).map((n) => app.client(`reader-${n}`)));
    for (const stream of front.streams) stream.stick();
    const reports = await Promise.all(upTo(10).map((n) => app.bus.pushToChannel('chat:n', n)));
    expect(reports.every(({ delivered }) => delivered === 40)).toBe(true);
    for (const reader of readers) {
      for (const n of upTo(10)) expect(await reader.next('chat:n')).toBe(n);
    }
    expect(stuck.flatMap(numbersOf)).toEqual([]);
    for (const stream of front.streams) stream.unstick();
    await eventually('the slow ones too', () => stuck.every((one) => numbersOf(one).length === 10));
  });

  it('is closed although it is held by its own hook: what waits for the welcome counts too', async () => {
    class Chatty {
      readonly results: string[] = [];

      @OnLoopConnect()
      greet(connection: LoopConnection): void {
        for (let n = 0; n < 4; n++) {
          this.results.push(connection.send('chat:n', 'x'.repeat(90_000)));
        }
      }
    }
    const app = await startLoopApp({ providers: [Chatty], options: { config: LIMITS } });
    const peer = await RawPeer.upgrade(app.port);
    expect(await peer.closeCode()).toBe(4413);
    const expected = ['delivered', 'delivered', 'send_failed', 'send_failed'];
    expect(app.get(Chatty).results).toEqual(expected);
    expect(app.get(ConnectionRegistry).size).toBe(0);
  });
});

describe('P4: a frame that could not be written within its ttlMs', () => {
  it('is not delivered late, be it its own or pushTtlMs, while its neighbours with more time are', async () => {
    const app = await start({ ...LIMITS, pushTtlMs: 10_000 });
    const [peer, stream] = await countedPeer(app, 'slow');
    stream.stick();
    const push = (n: number, options: { ttlMs?: number } = { ttlMs: 60_000 }, pad = '') =>
      app.bus.pushToAccount('slow', 'chat:n', { n, pad }, options);
    await push(0, undefined, 'x'.repeat(70_000));
    await eventually('the wire is full', () => stream.writableLength > 65_536);
    const reports = await Promise.all([push(1), push(2, {}), push(3), push(4, { ttlMs: 1 })]);
    expect(reports.every(({ delivered }) => delivered === 1)).toBe(true);
    moveClockOn(20_000);
    stream.unstick();
    await eventually('the last one', () => numbersOf(peer).includes(3));
    await push(5);
    await eventually('a later one', () => numbersOf(peer).includes(5));
    expect(numbersOf(peer)).toEqual([0, 1, 3, 5]);
  });

  it('gives back the room that it took in the queue', async () => {
    const app = await start();
    const [peer, stream] = await countedPeer(app, 'slow');
    stream.stick();
    const pad = 'x'.repeat(60_000);
    const reports = await Promise.all(
      upTo(3).map((n) =>
        app.bus.pushToAccount('slow', 'chat:n', { n, pad }, { ttlMs: n === 0 ? 60_000 : 10_000 }),
      ),
    );
    expect(reports.every(({ delivered }) => delivered === 1)).toBe(true);
    moveClockOn(20_000);
    stream.unstick();
    await eventually('the first one', () => numbersOf(peer).includes(0));
    for (const n of [10, 11, 12]) {
      expect(await app.bus.pushToAccount('slow', 'chat:n', { n, pad })).toMatchObject({
        delivered: 1,
      });
    }
    await eventually('the newer ones', () => numbersOf(peer).includes(12));
  });
});
