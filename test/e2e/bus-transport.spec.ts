import { jest } from '@jest/globals';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import {
  ConnectionRegistry,
  EventBus,
  LoopTransport,
  LoopTransportError,
  type Topic,
  type TransportReceipt,
  type TransportServer,
} from '../../lib/index.js';
import { TopicInterest } from '../../lib/transport/topic-interest.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';
import { NullTransport } from '../support/null-transport.js';

afterEach(async () => {
  jest.restoreAllMocks();
  await closeLoopApps();
});

/** Writes down what it is called with; a test overrides what it wants to fail. */
class Noted extends NullTransport {
  override isLive = true;
  readonly calls: string[] = [];

  override async start(_server: TransportServer): Promise<void> {
    this.calls.push('start');
    await this.starting();
    this.calls.push('started');
  }
  override attach(topics: readonly Topic[]): Promise<void> {
    this.calls.push(`attach ${topics.map(({ name }) => name).join()}`);
    return this.attaching(topics);
  }
  override detach(topics: readonly Topic[]): void {
    this.calls.push(`detach ${topics.map(({ name }) => name).join()}`);
    return this.detaching() as undefined;
  }
  override publish(): Promise<TransportReceipt> {
    this.calls.push('publish');
    return this.publishing();
  }

  starting = async (): Promise<void> => {};
  attaching = async (_topics: readonly Topic[]): Promise<void> => {};
  detaching = (): unknown => undefined;
  publishing = async (): Promise<TransportReceipt> => ({ expected: 0, replies: [] });

  callsAbout(name: string): string[] {
    return this.calls.filter((call) => call.endsWith(name));
  }
}

function thrower(): never {
  throw new Error('not even a promise');
}

describe('P5: a transport whose publish throws', () => {
  it('leaves a push that was delivered here delivered, and the rest unknown', async () => {
    const transport = new Noted();
    transport.publishing = thrower;
    const { bus, client } = await startLoopApp({ options: { transport } });
    const one = await client();
    expect(await bus.pushToAccount('acme', 'chat:n', 1)).toMatchObject({
      delivered: 1,
      complete: false,
      why: 'failed',
    });
    expect(await one.next('chat:n')).toBe(1);
    expect(await bus.pushToConnection('acme', 'nobody', 'chat:n', 2)).toBe('unknown');
  });
});

async function startWith(transport: Noted): Promise<TopicInterest> {
  const { get } = await startLoopApp({ options: { transport } });
  return get(TopicInterest);
}

const LOBBY: Topic[] = [{ kind: 'room', name: 'lobby' }];

describe('P5: a push without a result that the transport refuses', () => {
  it('is in the log: nobody else can tell', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const transport = new Noted();
    transport.publishing = async () => {
      throw new LoopTransportError('backpressure', 'Too much waits already.');
    };
    const { bus } = await startLoopApp({ options: { transport } });
    const report = await bus.pushToAccount('acme', 'chat:n', 1, { receipt: false });
    expect(report).toMatchObject({ complete: false, why: 'no_receipt' });
    await eventually('the warning', () =>
      warn.mock.calls.flat().join(' ').includes('Too much waits already.'),
    );
  });
});

describe('P3: a topic whose attach failed', () => {
  it.each([
    ['rejects', () => Promise.reject(new Error('away'))],
    ['throws', thrower],
  ])('is attached again by its next holder, when attach %s', async (_what, failing) => {
    const transport = new Noted();
    const interest = await startWith(transport);
    transport.attaching = failing;
    await expect(interest.retain(LOBBY)).rejects.toThrow(/away|promise/);
    await expect(interest.retain(LOBBY)).rejects.toThrow(/away|promise/);
    transport.attaching = async () => {};
    await interest.retain(LOBBY);
    await interest.retain(LOBBY);
    expect(transport.calls.slice(2)).toEqual(['attach lobby', 'attach lobby', 'attach lobby']);
  });

  it('is detached when each holder has released it once, those included that were told of the failure', async () => {
    const transport = new Noted();
    const interest = await startWith(transport);
    transport.attaching = thrower;
    await expect(interest.retain(LOBBY)).rejects.toThrow(/away|promise/);
    transport.attaching = async () => {};
    await interest.retain(LOBBY);
    interest.release(LOBBY);
    await interest.retain(LOBBY);
    expect(transport.calls.slice(2)).toEqual(['attach lobby', 'attach lobby']);
    interest.release(LOBBY);
    interest.release(LOBBY);
    await eventually('it is detached', () => transport.calls.includes('detach lobby'));
  });
});

describe('a second holder of a topic', () => {
  it('P3: shares the attach that is under way, whichever way it ends', async () => {
    for (const outcome of ['fulfilled', 'rejected']) {
      const transport = new Noted();
      const interest = await startWith(transport);
      const attached = deferred();
      transport.attaching = () =>
        attached.promise.then(outcome === 'rejected' ? thrower : () => {});
      let settled = 0;
      const count = (): number => settled++;
      const both = Promise.allSettled(
        [interest.retain(LOBBY), interest.retain(LOBBY)].map((one) => one.finally(count)),
      );
      await new Promise(setImmediate);
      expect(settled).toBe(0);
      attached.resolve();
      expect((await both).map(({ status }) => status)).toEqual([outcome, outcome]);
      expect(transport.calls.slice(2)).toEqual(['attach lobby']);
    }
  });

  it('a topic that several patterns of one request need is attached once', async () => {
    const transport = new Noted();
    const { client } = await startLoopApp({
      options: { transport, defaultSubscriptions: [] },
    });
    const one = await client();
    await one.subscribe('chat:*', 'chat:n', 'billing:*');
    expect(transport.callsAbout('billing')).toEqual(['attach chat,billing']);
  });
});

describe('P6: a detach that fails', () => {
  it.each([
    ['throws', thrower],
    ['rejects', () => Promise.reject(new Error('away'))],
  ])('is logged and goes no further, when it %s', async (_, failing) => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const transport = new Noted();
    transport.detaching = failing;
    const interest = await startWith(transport);
    await interest.retain(LOBBY);
    interest.release(LOBBY);
    await eventually('it is logged', () => warned.mock.calls.length > 0);
    await interest.retain(LOBBY);
    expect(transport.calls.slice(2)).toEqual(['attach lobby', 'detach lobby', 'attach lobby']);
  });
});

describe('P3: a membership whose topic cannot be attached', () => {
  /** A connection, and the failure of the next attachment. */
  async function setUp() {
    const transport = new Noted();
    const { bus, client, get } = await startLoopApp({
      options: { transport, defaultSubscriptions: [] },
    });
    const peer = await client('acme', { connectionId: 'phone' });
    const connection = get(ConnectionRegistry).get('acme', 'phone')!;
    const { promise, resolve: fail } = deferred();
    transport.attaching = async () => {
      transport.attaching = async () => {};
      await promise;
      throw new Error('no');
    };
    return { bus, peer, connection, fail };
  }

  it('is taken away, unless it has ended and begun again meanwhile', async () => {
    const { bus, peer, connection, fail } = await setUp();
    const first = connection.join('lobby');
    connection.leave('lobby');
    await connection.join('lobby');
    await connection.subscribe('chat:*');
    fail();
    await expect(first).rejects.toThrow('no');
    expect([...connection.rooms]).toEqual(['lobby']);
    await bus.pushToRoom('lobby', 'chat:n', 1);
    expect(await peer.next('chat:n')).toBe(1);
  });

  it('of several patterns: those that ended and began again stay', async () => {
    const { connection, fail } = await setUp();
    const first = connection.subscribe('chat:a', 'billing:b');
    connection.unsubscribe('chat:a');
    await connection.subscribe('chat:a');
    fail();
    await expect(first).rejects.toThrow('no');
    expect([...connection.subscriptions]).toEqual(['chat:a']);
  });
});

it('LoopTransport.isLive is that of the transport while it runs, and false before and after', async () => {
  const transport = new Noted();
  const seen: boolean[] = [];
  @Injectable()
  class Early implements OnModuleInit {
    constructor(private readonly injected: LoopTransport) {}
    onModuleInit(): void {
      seen.push(this.injected.isLive);
    }
  }
  const { get, close } = await startLoopApp({ providers: [Early], options: { transport } });
  const injected = get(LoopTransport);
  seen.push(injected.isLive);
  transport.isLive = false;
  seen.push(injected.isLive);
  transport.isLive = true;
  await close();
  seen.push(injected.isLive);
  expect(seen).toEqual([false, true, false, false]);
  const { get: getInMemory } = await startLoopApp();
  expect(getInMemory(LoopTransport).isLive).toBe(true);
});

describe('before the start', () => {
  @Injectable()
  class Early implements OnModuleInit {
    readonly seen: unknown[] = [];
    result: unknown;

    constructor(private readonly bus: EventBus) {
      bus.on('chat:*').subscribe(({ data }) => this.seen.push(data));
      bus.on('billing:*').subscribe().unsubscribe();
    }

    async onModuleInit(): Promise<void> {
      this.result = await this.bus.pushToChannel('chat:early', 1);
    }
  }

  it('a transport hears nothing: observers are attached after the start, pushes tell what is proven here', async () => {
    const transport = new Noted();
    const going = deferred();
    transport.starting = () => going.promise;
    const starting = startLoopApp({ providers: [Early], options: { transport } });
    await eventually('the start is under way', () => transport.calls.length > 0);
    await new Promise(setImmediate);
    expect(transport.calls).toEqual(['start']);
    going.resolve();
    const { get, bus } = await starting;
    expect(get(Early).result).toMatchObject({
      delivered: 0,
      complete: false,
      why: 'unavailable',
    });
    await bus.pushToChannel('chat:late', 2);
    expect(get(Early).seen).toEqual([1, 2]);
    expect(transport.calls).toEqual([
      'start',
      'started',
      'attach chat',
      'attach billing',
      'detach billing',
      'publish',
    ]);
  });
});
