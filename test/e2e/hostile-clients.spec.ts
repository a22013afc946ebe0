import { connect } from 'node:net';
import { once } from 'node:events';
import { jest } from '@jest/globals';
import { ForbiddenException, HttpException } from '@nestjs/common';
import {
  ConnectionRegistry,
  type LoopConnection,
  OnLoopConnect,
  OnLoopEvent,
  type Topic,
} from '../../lib/index.js';
import type { OkFrame } from '../../lib/protocol/frames.js';
import { deferred, eventually } from '../support/eventually.js';
import { keepLog } from '../support/kept-log.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { NullTransport } from '../support/null-transport.js';
import { cutRawPeers, RawPeer, textFrame } from '../support/raw-peer.js';
import { authenticate, authorize } from '../support/scoped-tokens.js';
import { isServing } from '../support/still-serving.js';

let logged: string[];

beforeEach(() => {
  logged = keepLog('warn', 'error');
});

afterEach(async () => {
  cutRawPeers();
  await closeLoopApps();
  jest.restoreAllMocks();
});

/** Throws at whoever looks at it. */
const unreadable = new (class extends HttpException {
  override getStatus(): number {
    throw new Error('boom');
  }
})('boom', 403);

function rejectOthers(thrown: Error): (pattern: string) => boolean | Promise<boolean> {
  return (pattern) => (pattern === '*:*' ? true : Promise.reject(thrown));
}

describe('a pattern that authorize does not grant', () => {
  it('is denied with the same words, whether anything has that name or not', async () => {
    class Handler {
      @OnLoopEvent('billing:exists')
      handle(): void {}
    }
    const app = await startLoopApp({ providers: [Handler], options: { authenticate, authorize } });
    const owner = await app.client('owner');
    await owner.subscribe('billing:exists');
    const spy = await app.client('spy.mine');
    const { denied = [] } = (await spy.subscribe('billing:exists', 'billing:nothing')) as OkFrame;
    const [existing, missing] = denied;
    expect(existing).toEqual({ ...missing, pattern: 'billing:exists' });
    expect(existing).toMatchObject({ code: 'forbidden' });
  });

  it('is not granted by being wider, and a default subscription is asked about like any other', async () => {
    const app = await startLoopApp({ options: { authenticate, authorize } });
    const spy = await app.client('spy.paid');
    expect(spy.welcome.subscriptions).toEqual([]);
    const wider = ['*:*', 'billing:*', '*:invoice.paid', 'billing:invoice.*'];
    expect(await spy.subscribe(...wider, 'billing:invoice.paid')).toMatchObject({
      granted: ['billing:invoice.paid'],
      denied: wider.map((pattern) => ({ pattern, code: 'forbidden' })),
    });
    expect(await app.bus.pushToChannel('billing:invoice.sent', 1)).toMatchObject({ delivered: 0 });
    expect(await app.bus.pushToAccount('spy', 'billing:invoice.sent', 1)).toMatchObject({
      filtered: 1,
    });
  });

  it.each<[string, string, (pattern: string) => boolean | Promise<boolean>]>([
    [
      'throws',
      'unavailable',
      (pattern) => {
        if (pattern === '*:*') return true;
        throw new Error('boom');
      },
    ],
    ['rejects', 'unavailable', rejectOthers(new Error('boom'))],
    ['rejects with a refusal of Nest', 'forbidden', rejectOthers(new ForbiddenException('boom'))],
    ['rejects with a redirection', 'unavailable', rejectOthers(new HttpException('boom', 302))],
    ['rejects with what cannot be read', 'unavailable', rejectOthers(unreadable)],
    [
      'answers with what is merely truthy',
      'forbidden',
      (pattern) => (pattern === '*:*' ? true : ('yes' as never)),
    ],
  ])(
    'because authorize %s is denied, without a word of why, and without flooding the log',
    async (_what, code, judge) => {
      const options = {
        authenticate,
        authorize: (_: LoopConnection, pattern: string) => judge(pattern),
      };
      const app = await startLoopApp({ options });
      const client = await app.client();
      for (let n = 0; n < 20; n++) {
        const answer = await client.subscribe(`chat:e${n}`);
        expect(answer).toMatchObject({ granted: [], denied: [{ code }] });
        expect(JSON.stringify(answer)).not.toContain('boom');
      }
      expect(logged.length).toBeLessThanOrEqual(1);
      expect(await client.ask({ op: 'ping' })).toMatchObject({ op: 'pong' });
    },
  );

  it('because authorize never settles is a timeout, and the next frame is handled', async () => {
    const never = (_: LoopConnection, pattern: string) =>
      pattern === '*:*' || new Promise<boolean>(() => {});
    const options = { authenticate, authorize: never, config: { handlerTimeoutMs: 50 } };
    const app = await startLoopApp({ options });
    const client = await app.client();
    expect(await client.subscribe('chat:a')).toMatchObject({ op: 'error', code: 'timeout' });
    expect(await client.unsubscribe('*:*')).toMatchObject({ op: 'ok', removed: ['*:*'] });
  });
});

describe('subscribing and unsubscribing in a loop', () => {
  it('leaves nothing behind, and the transport hears of the first and the last holder only', async () => {
    const calls: string[] = [];
    class Counting extends NullTransport {
      override async attach(topics: readonly Topic[]): Promise<void> {
        calls.push(...topics.map(({ name }) => `+${name}`));
      }
      override detach(topics: readonly Topic[]): void {
        calls.push(...topics.map(({ name }) => `-${name}`));
      }
    }
    const app = await startLoopApp({
      options: {
        transport: new Counting(),
        defaultSubscriptions: [],
        config: { frameBurst: 10_000, framesPerSecond: 10_000 },
      },
    });
    const keeper = await app.client('keeper');
    await keeper.subscribe('chat:*');
    const peer = await RawPeer.open(app.port, { token: 'churn' });
    calls.length = 0;
    for (let id = 1; id <= 1_000; id++) {
      const op = id % 2 === 1 ? 'subscribe' : 'unsubscribe';
      peer.sendText({ op, id, patterns: [`chat:e${Math.ceil(id / 2)}`, 'chat:*'] });
    }
    await peer.next('the last answer', (frame) => 'id' in frame && frame.id === 1_000);
    expect(calls).toEqual([]);
    const connection = app.get(ConnectionRegistry).ofAccount('churn')[0]!;
    expect(connection.subscriptions.size).toBe(0);
    expect(await app.bus.pushToChannel('chat:e500', 1)).toMatchObject({ delivered: 1 });
    await keeper.unsubscribe('chat:*');
    expect(calls).toEqual(['-chat']);
    expect(await app.bus.pushToChannel('chat:e500', 1)).toMatchObject({ delivered: 0 });
  });

  it('P2: unsubscribing is exact: what overlaps stays, and still delivers once', async () => {
    const app = await startLoopApp();
    const client = await app.client();
    await client.subscribe('chat:a', 'chat:*', 'chat:a');
    await client.unsubscribe('chat:*', '*:*', 'chat:never', 'nonsense');
    expect(await app.bus.pushToChannel('chat:b', 'b')).toMatchObject({ delivered: 0 });
    expect(await app.bus.pushToChannel('chat:a', 'a')).toMatchObject({ delivered: 1 });
    await client.ask({ op: 'ping' });
    expect(client.frames.filter((frame) => 'event' in frame)).toEqual([
      { event: 'chat:a', data: 'a' },
    ]);
  });
});

describe('P6: before a connection is open', () => {
  class Gate {
    readonly gate = deferred();
    readonly order: number[] = [];

    @OnLoopConnect()
    async connect({ accountId }: LoopConnection): Promise<void> {
      if (accountId !== 'newcomer') await this.gate.promise;
    }

    @OnLoopEvent('chat:n')
    number(n: number): void {
      this.order.push(n);
    }
  }

  it('a flood of frames waits in the peer, none is lost, and their order is kept', async () => {
    const app = await startLoopApp({
      providers: [Gate],
      options: { config: { maxQueuedFrames: 8 } },
    });
    const behind = Buffer.concat(
      Array.from({ length: 400 }, (_, n) => textFrame({ event: 'chat:n', data: n })),
    );
    const peer = await RawPeer.upgrade(app.port, { behind });
    expect(await isServing(app)).toBe(true);
    expect(app.get(Gate).order).toEqual([]);
    app.get(Gate).gate.resolve();
    await eventually('all are handled', () => app.get(Gate).order.length === 400);
    expect(app.get(Gate).order).toEqual(Array.from({ length: 400 }, (_, n) => n));
    await peer.next('the welcome', ({ op }) => op === 'welcome');
    expect(peer.texts).toHaveLength(1);
  });

  it('a hook that never ends is given up with 1013 after connectTimeoutMs, and a refusal too late is nothing', async () => {
    const app = await startLoopApp({
      providers: [Gate],
      options: { config: { connectTimeoutMs: 50 } },
    });
    const peer = await RawPeer.upgrade(app.port);
    expect(await peer.closeCode()).toBe(1013);
    app.get(Gate).gate.resolve();
    expect(await isServing(app)).toBe(true);
    expect(app.get(ConnectionRegistry).ofAccount('acme')).toEqual([]);
    expect(await app.bus.pushToAccount('acme', 'chat:a', 1)).toMatchObject({ delivered: 0 });
  });

  it('hundreds of sockets that say nothing, or half a request, keep nobody out', async () => {
    const app = await startLoopApp();
    const idle = Array.from({ length: 300 }, () => connect(app.port, '127.0.0.1'));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    for (const socket of idle.slice(150)) socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nX-Drip: ');
    expect(await isServing(app)).toBe(true);
    for (const socket of idle) socket.destroy();
  });
});

describe('names that objects have', () => {
  it('are ordinary accounts, connections and rooms', async () => {
    const app = await startLoopApp();
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    for (const name of names) {
      expect(await app.bus.pushToAccount(name, 'chat:a', 1)).toMatchObject({ delivered: 0 });
      expect(await app.bus.pushToRoom(name, 'chat:a', 1)).toMatchObject({ delivered: 0 });
    }
    for (const name of names) {
      const client = await app.client(name, { connectionId: name });
      await app.get(ConnectionRegistry).get(name, name)!.join(name);
      expect(await app.bus.pushToConnection(name, name, 'chat:a', 1)).toBe('delivered');
      expect(await app.bus.pushToRoom(name, 'chat:a', 2)).toMatchObject({ delivered: 1 });
      expect([await client.next('chat:a'), await client.next('chat:a')]).toEqual([1, 2]);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
