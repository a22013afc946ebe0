import { jest } from '@jest/globals';
import { Heartbeat } from '../../lib/connections/heartbeat.js';
import {
  type ConnectionClose,
  ConnectionRegistry,
  type LoopConnection,
  OnLoopDisconnect,
  OnLoopEvent,
  PresenceStore,
} from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { cutRawPeers, Opcode, rawFrame, RawPeer, textFrame } from '../support/raw-peer.js';
import { isServing } from '../support/still-serving.js';

afterEach(async () => {
  jest.restoreAllMocks();
  cutRawPeers();
  await closeLoopApps();
});

const HEARTBEAT = 100;
/** A heartbeat visits so many groups of peers, one after another. */
const SLOTS = 32;
const PONG = rawFrame('', { opcode: Opcode.Pong });

class Life {
  readonly closes: ConnectionClose[] = [];
  readonly gate = deferred();

  @OnLoopDisconnect()
  left(_connection: LoopConnection, close: ConnectionClose): void {
    this.closes.push(close);
  }

  @OnLoopEvent('chat:slow')
  slow(): Promise<void> {
    return this.gate.promise;
  }
}

function start(config: object = {}): Promise<LoopApp> {
  const options = { config: { heartbeatMs: HEARTBEAT, closeTimeoutMs: 50, ...config } };
  return startLoopApp({ providers: [Life], options });
}

const pingsOf = (peer: RawPeer) =>
  peer.frames.filter(({ opcode }) => opcode === Opcode.Ping).length;

/** The event loop does nothing else for this long. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** What is watched while this runs is of the group that is visited at this place in a heartbeat. */
async function inSlot<T>(slot: number, watches: () => T | Promise<T>): Promise<T> {
  const random = jest.spyOn(Math, 'random').mockReturnValue(slot / SLOTS);
  try {
    return await watches();
  } finally {
    random.mockRestore();
  }
}

/** So many more heartbeats: each visit to a peer pings it, or loses it. */
async function pings(peer: RawPeer, count: number): Promise<void> {
  const before = pingsOf(peer);
  const isClosed = (): boolean => peer.close !== undefined;
  await eventually(`${count} pings`, () => pingsOf(peer) >= before + count || isClosed());
  expect(peer.close).toBeUndefined();
}

describe('P6: a half-open peer', () => {
  it('is gone within two heartbeats, with everything it held, and nobody else is', async () => {
    const heartbeatMs = 300;
    const app = await start({ heartbeatMs });
    const other = await app.client('other'); // its library answers pings
    const openedAt = performance.now();
    const peer = await RawPeer.open(app.port, { path: '/ws?connectionId=phone' });
    await eventually('it is gone', () => app.get(ConnectionRegistry).size === 1);
    const lived = performance.now() - openedAt;
    expect(lived).toBeGreaterThan(heartbeatMs * 0.9); // it had its chance
    expect(pingsOf(peer)).toBeGreaterThan(0);
    expect(pingsOf(peer)).toBeLessThanOrEqual(2); // one more when the machine was busy
    expect(app.get(Life).closes).toMatchObject([{ code: 4408 }]);
    expect(await app.bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('not_connected');
    await eventually('presence', async () => !(await app.get(PresenceStore).isOnline('acme')));
    await eventually('its socket is cut', () => peer.isGone || peer.ended);
    expect(await other.ask({ op: 'ping' })).toMatchObject({ op: 'pong' });
  });

  it('that drips single bytes of one frame is as silent as any', async () => {
    const app = await start();
    const peer = await RawPeer.open(app.port);
    const bytes = textFrame({ op: 'ping', id: 'x'.repeat(64) });
    let sent = 0;
    const drip = setInterval(() => peer.socket.write(bytes.subarray(sent, ++sent)), 20);
    await eventually('it is gone', () => app.get(ConnectionRegistry).size === 0);
    clearInterval(drip);
    expect(sent).toBeLessThan(bytes.length);
    expect(app.get(Life).closes).toMatchObject([{ code: 4408 }]);
    expect(await isServing(app)).toBe(true);
  });

  it('is noticed while its connection is still being opened', async () => {
    const never = new Promise<boolean>(() => {});
    const app = await startLoopApp({
      options: {
        config: { heartbeatMs: HEARTBEAT },
        authorize: ({ accountId }) => (accountId === 'acme' ? never : true),
      },
    });
    const peer = await RawPeer.upgrade(app.port);
    expect(await peer.closeCode()).toBe(4408);
    expect(await isServing(app)).toBe(true);
  });
});

describe('a peer lives', () => {
  it.each<[string, Buffer]>([
    ['pongs', PONG],
    ['WebSocket pings', rawFrame('', { opcode: Opcode.Ping })],
    ['pings of the protocol', textFrame({ op: 'ping' })],
    ['frames of any kind, bad ones too', textFrame('nonsense')],
  ])('as long as it sends %s', async (_what, frame) => {
    const app = await start();
    const peer = await RawPeer.open(app.port);
    const alive = setInterval(() => peer.send(frame), HEARTBEAT / 3);
    await pings(peer, 5);
    clearInterval(alive);
    expect(peer.close).toBeUndefined();
    await eventually('its silence is noticed', () => app.get(ConnectionRegistry).size === 0);
  });

  it('though it is not read, because its own requests are waiting for a handler', async () => {
    const app = await start({ maxQueuedFrames: 2 });
    const peer = await RawPeer.open(app.port);
    for (let id = 0; id < 10; id++) peer.sendText({ event: 'chat:slow', id });
    await pings(peer, 4);
    expect(app.get(Life).closes).toEqual([]);
    app.get(Life).gate.resolve();
    await peer.next('the last reply', (frame) => 'id' in frame && frame.id === 9);
  });

  it('through a stall of the process', async () => {
    const app = await start();
    const clients = await Promise.all([1, 2, 3, 4, 5].map((n) => app.client(`account-${n}`)));
    const peer = await RawPeer.open(app.port);
    const alive = setInterval(() => peer.send(PONG), 10);
    await pings(peer, 1);
    block(4 * HEARTBEAT);
    await pings(peer, 3);
    clearInterval(alive);
    expect(app.get(Life).closes).toEqual([]);
    for (const client of clients)
      expect(await client.ask({ op: 'ping' })).toMatchObject({ op: 'pong' });
  });

  it('though the process was blocked when its answer came, and until its time was up', async () => {
    const app = await start();
    const peer = await inSlot(1, () => RawPeer.open(app.port));
    let isAnswered = false;
    const answersUnread = (): void => {
      if (isAnswered || pingsOf(peer) === 0) return;
      isAnswered = true;
      setTimeout(() => {
        peer.send(PONG);
        block(4 * HEARTBEAT);
      });
      block(20); // both timers are due by then, this one and the next visit: nothing is read between them
    };
    const visitedBefore = { consumeActivity: () => true, ping: answersUnread, lost() {} };
    await inSlot(0, () => app.get(Heartbeat).watch(visitedBefore));
    await pings(peer, 2);
    expect(isAnswered).toBe(true);
    expect(app.get(Life).closes).toEqual([]);
  });
});

describe('pings', () => {
  it('of the client are answered with its id, before anything that waits for a handler', async () => {
    const app = await start();
    const client = await app.client();
    client.send({ event: 'chat:slow', id: 'slow' });
    expect(await client.ask({ op: 'ping' })).toEqual({ op: 'pong', id: 1 });
    app.get(Life).gate.resolve();
  });
});
