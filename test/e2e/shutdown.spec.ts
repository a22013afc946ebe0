import { Injectable, Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { WebSocket } from 'ws';
import {
  LoopConnection,
  OnLoopConnect,
  OnLoopDisconnect,
  OnLoopEvent,
  PresenceStore,
} from '../../lib/index.js';
import { edgeLog } from '../support/edge-log.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

describe('P9: shutdown', () => {
  it('advises each client when to come back, closes with 1012, awaits the hooks and leaves presence empty', async () => {
    const done: string[] = [];
    const gate = deferred();
    @Injectable()
    class Cleanup {
      @OnLoopDisconnect()
      async disconnect({ connectionId }: LoopConnection): Promise<void> {
        await gate.promise;
        done.push(connectionId);
      }
    }
    const loopApp = await startLoopApp({
      providers: [Cleanup],
      options: { config: { drainMs: 50, reconnectSpreadMs: 700 } },
    });
    const presence = loopApp.get(PresenceStore);
    const ids = Array.from({ length: 40 }, (_, n) => `phone-${n}`);
    const clients = await Promise.all(
      ids.map((id) => loopApp.client('acme', { connectionId: id })),
    );
    const closing = loopApp.close().then(() => done.push('closed'));
    const waits: number[] = [];
    for (const one of clients) {
      const advice = await one.nextFrame('advice', ({ op }) => op === 'reconnect');
      waits.push((advice as { afterMs: number }).afterMs);
      expect(await one.closed).toEqual({ code: 1012, reason: 'The server is leaving.' });
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(700);
    expect(Math.max(...waits)).toBeGreaterThan(350);
    expect(new Set(waits).size).toBeGreaterThan(20);
    gate.resolve();
    await closing;
    expect(done.slice(0, -1).toSorted()).toEqual(ids.toSorted());
    expect(done.at(-1)).toBe('closed');
    expect(await presence.count()).toEqual({ accounts: 0, connections: 0 });
  });

  it('writes what was pushed before the close, and reports accounts offline once', async () => {
    const edges: string[] = [];
    const loopApp = await startLoopApp({
      providers: [edgeLog(edges)],
      options: { config: { presenceGraceMs: 60_000 } },
    });
    const one = await loopApp.client();
    const push = loopApp.bus.pushToAccount('acme', 'chat:last', 'words');
    await Promise.all([push, loopApp.close()]);
    expect(await one.next('chat:last')).toBe('words');
    expect((await one.closed).code).toBe(1012);
    expect(edges).toEqual(['+acme', '-acme']);
  });

  it('advises also who is welcomed while it drains, after the welcome', async () => {
    const gate = deferred();
    let isOpening = false;
    @Injectable()
    class SlowGreeting {
      @OnLoopConnect()
      async connect({ connectionId }: LoopConnection): Promise<void> {
        if (connectionId !== 'late') return;
        isOpening = true;
        await gate.promise;
      }
    }
    const loopApp = await startLoopApp({
      providers: [SlowGreeting],
      options: { config: { drainMs: 1_000, reconnectSpreadMs: 700 } },
    });
    const early = await loopApp.client('acme', { connectionId: 'early' });
    const opening = loopApp.client('acme', { connectionId: 'late' });
    await eventually('the late one is opening', () => isOpening);
    const closing = loopApp.close();
    await early.nextFrame('advice', ({ op }) => op === 'reconnect');
    gate.resolve();
    const late = await opening;
    expect((await late.closed).code).toBe(1012);
    const ops = late.frames.map((frame) => 'op' in frame && frame.op);
    expect(ops).toEqual(['welcome', 'reconnect']);
    await closing;
  });

  it('refuses new connections with 503 while it drains', async () => {
    const hold = deferred();
    @Injectable()
    class Holding {
      @OnLoopDisconnect()
      disconnect(): Promise<void> {
        return hold.promise;
      }
    }
    const loopApp = await startLoopApp({ providers: [Holding] });
    const one = await loopApp.client();
    const closing = loopApp.close();
    await one.closed;

    const refused = await new Promise<number>((resolve) => {
      const socket = new WebSocket(loopApp.url, ['loopws.v1', 'bearer.acme']);
      socket.on('error', () => {});
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode!));
    });
    expect(refused).toBe(503);
    hold.resolve();
    await closing;
  });
});

describe('P9: the shutdown waits for what is still being done, and not for ever', () => {
  @Injectable()
  class Work {
    readonly log: string[] = [];
    readonly gate = deferred();

    async run(what: string): Promise<void> {
      this.log.push(`${what} begins`);
      await this.gate.promise;
      this.log.push(`${what} ends`);
    }

    onApplicationShutdown(): void {
      this.log.push('the database closes');
    }
  }

  @Injectable()
  class SlowHandler {
    constructor(private readonly work: Work) {}

    @OnLoopEvent('chat:work')
    handle(): Promise<void> {
      return this.work.run('the handler');
    }
  }

  @Injectable()
  class SlowHook {
    constructor(private readonly work: Work) {}

    @OnLoopConnect()
    connect(): Promise<void> {
      return this.work.run('the hook');
    }

    @OnLoopDisconnect()
    disconnect(): void {
      this.work.log.push('its end is told');
    }
  }

  /** Gives a shutdown that does not wait the time to go on. */
  async function manyTurns(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  it('for a handler that is running', async () => {
    const loopApp = await startLoopApp({ providers: [Work, SlowHandler] });
    const { log, gate } = loopApp.get(Work);
    const one = await loopApp.client();
    one.send({ event: 'chat:work' });
    await eventually('it runs', () => log.length === 1);
    const closing = loopApp.close();
    await one.closed;
    await manyTurns();
    gate.resolve();
    await closing;
    expect(log).toEqual(['the handler begins', 'the handler ends', 'the database closes']);
  });

  it('for an @OnLoopConnect that is running, and then for its @OnLoopDisconnect', async () => {
    const loopApp = await startLoopApp({ providers: [Work, SlowHook] });
    const { log, gate } = loopApp.get(Work);
    const opening = loopApp.client().catch((error: unknown) => error);
    await eventually('it runs', () => log.length === 1);
    const closing = loopApp.close();
    await opening;
    await manyTurns();
    gate.resolve();
    await closing;
    expect(log).toEqual([
      'the hook begins',
      'the hook ends',
      'its end is told',
      'the database closes',
    ]);
  });

  it('with the close of a connection until the frames that it sent are answered, within drainMs', async () => {
    const loopApp = await startLoopApp({
      providers: [Work, SlowHandler],
      options: { config: { drainMs: 60_000 } },
    });
    const { log, gate } = loopApp.get(Work);
    const one = await loopApp.client();
    const reply = one.request('chat:work');
    await eventually('it runs', () => log.length === 1);
    const closing = loopApp.close();
    await one.nextFrame('advice', ({ op }) => op === 'reconnect');
    gate.resolve();
    expect(await reply).toMatchObject({ op: 'reply' });
    expect((await one.closed).code).toBe(1012);
    await closing;
  });

  it('at most shutdownTimeoutMs for a hook that hangs', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    @Injectable()
    class Hanging {
      @OnLoopDisconnect()
      disconnect(): Promise<void> {
        return new Promise(() => {});
      }
    }
    const loopApp = await startLoopApp({
      providers: [Hanging],
      options: { config: { shutdownTimeoutMs: 50 } },
    });
    await loopApp.client();
    await loopApp.close();
    expect(warn.mock.calls.flat().join()).toMatch(/did not finish within 50 ms/);
  });

  it('a socket that is opened while the shutdown begins is refused or told 1012, and never cut', async () => {
    for (let round = 0; round < 20; round++) {
      const gate = deferred();
      let asked = 0;
      const loopApp = await startLoopApp({
        options: {
          authenticate: async () => {
            asked++;
            await gate.promise;
            return { accountId: 'acme' };
          },
        },
      });
      const outcomes = Array.from({ length: 4 }, () => outcomeOf(loopApp.url));
      await eventually('all are asked for', () => asked === 4);
      gate.resolve();
      for (let turn = 0; turn < round % 5; turn++) await Promise.resolve();
      await loopApp.close();
      for (const outcome of await Promise.all(outcomes)) expect(['503', '1012']).toContain(outcome);
    }
  });

  /** The status of the refusal, or the close code. */
  function outcomeOf(url: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = new WebSocket(url, ['loopws.v1', 'bearer.acme']);
      socket.on('error', () => {});
      socket.on('unexpected-response', (_request, { statusCode }) => resolve(String(statusCode)));
      socket.on('close', (code) => resolve(String(code)));
    });
  }
});
