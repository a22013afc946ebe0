import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { map, Subject } from 'rxjs';
import { EventBus, LoopWsError } from '../../lib/index.js';
import { MemoryCluster } from '../../lib/testing/index.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';
import { NullTransport } from '../support/null-transport.js';

const uncaught: unknown[] = [];
const noteUncaught = (error: unknown): void => {
  uncaught.push(error);
};

/** Whatever was thrown out of every stack by now has been reported when this resolves. */
const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', noteUncaught);
  process.on('unhandledRejection', noteUncaught);
});

afterEach(async () => {
  process.off('uncaughtException', noteUncaught);
  process.off('unhandledRejection', noteUncaught);
  jest.restoreAllMocks();
  await closeLoopApps();
});

function silenceLog(): jest.SpiedFunction<Logger['error']> {
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  return jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
}

describe('P6: an observer of bus.on that fails', () => {
  const broken = (): never => {
    throw new Error('observer is broken');
  };

  type Attach = (bus: EventBus, next: (value: unknown) => void) => unknown;
  /** What an `async` callback is at run time; types let it pass where nothing is expected back. */
  const inPromise =
    (next: (value: unknown) => void): ((value: unknown) => unknown) =>
    async (value) =>
      next(value);
  const forms: [string, Attach][] = [
    ['a function', (bus, next) => bus.on('chat:*').subscribe(next)],
    ['an async function', (bus, next) => bus.on('chat:*').subscribe(inPromise(next))],
    ['an observer object', (bus, next) => bus.on('chat:*').subscribe({ next })],
    ['a function after pipe', (bus, next) => bus.on('chat:*').pipe(map(Boolean)).subscribe(next)],
  ];

  it.each(forms)('as %s: is logged, stays subscribed, and disturbs nobody', async (_, attach) => {
    const logged = silenceLog();
    const { bus } = await startLoopApp();
    const next = jest.fn(broken);
    attach(bus, next);
    const seen: unknown[] = [];
    bus.on('chat:*').subscribe(({ data }) => seen.push(data));
    expect(await bus.pushToChannel('chat:n', 1)).toMatchObject({ complete: true });
    await bus.pushToChannel('chat:n', 2);
    await turnOfTheLoop();
    expect(uncaught).toEqual([]);
    expect(next).toHaveBeenCalledTimes(2);
    expect(seen).toEqual([1, 2]);
    expect(logged).toHaveBeenCalledWith(
      expect.stringContaining('bus.on'),
      expect.stringContaining('observer is broken'),
    );
  });

  it('in an operator: the observable of that observer ends, which is logged', async () => {
    const logged = silenceLog();
    const { bus } = await startLoopApp();
    const next = jest.fn();
    bus.on('chat:*').pipe(map(broken)).subscribe(next);
    await bus.pushToChannel('chat:n', 1);
    await turnOfTheLoop();
    expect(uncaught).toEqual([]);
    expect(next).not.toHaveBeenCalled();
    expect(logged).toHaveBeenCalledTimes(1);
  });

  it('keeps what rxjs promises otherwise: error callbacks, `this`, subjects and unsubscribing', async () => {
    silenceLog();
    const { bus } = await startLoopApp();
    const errors: unknown[] = [];
    bus
      .on('chat:*')
      .pipe(map(broken))
      .subscribe({ error: (error: Error) => errors.push(error.message) });
    const subject = new Subject<unknown>();
    const collector = {
      seen: [] as unknown[],
      next(value: unknown) {
        this.seen.push(value);
      },
    };
    subject.subscribe(collector);
    const subscription = bus
      .on('chat:*')
      .pipe(map(({ data }) => data))
      .subscribe(subject);
    await bus.pushToChannel('chat:n', 1);
    subscription.unsubscribe();
    await bus.pushToChannel('chat:n', 2);
    expect(errors).toEqual(['observer is broken']);
    expect(collector.seen).toEqual([1]);
  });
});

describe('bus.on', () => {
  it('P6: outlives a transport that cannot attach', async () => {
    class Unattachable extends NullTransport {
      override async attach(): Promise<void> {
        throw new Error('away');
      }
    }
    silenceLog();
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const { bus } = await startLoopApp({ options: { transport: new Unattachable() } });
    const seen: unknown[] = [];
    bus.on('chat:*').subscribe(({ data }) => seen.push(data));
    await turnOfTheLoop();
    await bus.pushToChannel('chat:n', 1);
    expect(uncaught).toEqual([]);
    expect(seen).toEqual([1]);
    expect(warned).toHaveBeenCalledWith(expect.stringMatching(/chat:\*.*away/s));
  });

  it('P1: an observer that pushes comes after the push that it observes, here and on other servers', async () => {
    const cluster = new MemoryCluster();
    const start = (serverId: string): Promise<LoopApp> =>
      startLoopApp({ options: { serverId, transport: cluster.transport() } });
    const [a, b] = [await start('a'), await start('b')];
    const [onA, onB] = [await a.client(), await b.client()];
    const observed: string[] = [];
    a.bus.on('chat:cause').subscribe(() => void a.bus.pushToChannel('chat:effect', 1));
    a.bus.on('chat:*').subscribe(({ name }) => observed.push(name));
    await a.bus.pushToChannel('chat:cause', 1);
    for (const client of [onA, onB]) {
      await client.next('chat:effect');
      const names = client.frames.flatMap((frame) => ('event' in frame ? [frame.event] : []));
      expect(names).toEqual(['chat:cause', 'chat:effect']);
    }
    expect(observed).toEqual(['chat:cause', 'chat:effect']);
  });

  it('an observer may repeat the id of the push that it observes', async () => {
    const { bus } = await startLoopApp();
    let times = 0;
    bus.on('chat:n').subscribe(() => {
      times++;
      void bus.pushToChannel('chat:n', 1, { id: 'same' });
    });
    await bus.pushToChannel('chat:n', 1, { id: 'same' });
    await turnOfTheLoop();
    expect(times).toBe(1);
  });

  it.each([
    ['text that is no pattern', 'chat', /"chat" is not a valid pattern/],
    ['what is no text', undefined as never, /not a valid pattern/],
    ['a service that is not declared', 'nosuch:*', /"nosuch:\*" is not declared.*"services"/],
  ])('refuses %s at once', async (_what, pattern, message) => {
    const { bus } = await startLoopApp();
    expect(() => bus.on(pattern as 'chat:*')).toThrow(LoopWsError);
    expect(() => bus.on(pattern as 'chat:*')).toThrow(message);
  });

  it('completes when the application shuts down, and at once after that', async () => {
    const { bus, close } = await startLoopApp();
    let completed = 0;
    const observer = { complete: () => completed++ };
    bus.on('chat:*').subscribe(observer);
    bus.on('*:*').pipe(map(String)).subscribe(observer);
    await close();
    expect(completed).toBe(2);
    bus.on('chat:*').subscribe(observer);
    await eventually('the late one completes', () => completed === 3);
  });
});
