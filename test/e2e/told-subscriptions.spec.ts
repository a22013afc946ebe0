import { Injectable, Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import {
  ConnectionRegistry,
  LoopConnection,
  OnLoopSubscribe,
  OnLoopUnsubscribe,
} from '../../lib/index.js';
import { deferred } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(async () => {
  await closeLoopApps();
  jest.restoreAllMocks();
});

describe('what a client is told of its subscriptions is true', () => {
  it('a subscribe that was answered with timeout takes no effect later', async () => {
    const gate = deferred();
    const { client, get } = await startLoopApp({
      options: {
        defaultSubscriptions: [],
        authorize: async () => {
          await gate.promise;
          return true;
        },
        config: { handlerTimeoutMs: 30 },
      },
    });
    const one = await client('acme', { connectionId: 'phone' });
    expect(await one.subscribe('chat:*')).toMatchObject({ op: 'error', code: 'timeout' });
    gate.resolve();
    await one.ask({ op: 'ping' });
    expect(get(ConnectionRegistry).get('acme', 'phone')!.subscriptions.size).toBe(0);
  });

  it('a hook that fails does not unsay what was granted', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    @Injectable()
    class Failing {
      @OnLoopSubscribe()
      subscribed(): never {
        throw new Error('audit log away');
      }
    }
    const { client, bus } = await startLoopApp({
      providers: [Failing],
      options: { defaultSubscriptions: [] },
    });
    const one = await client();
    expect(await one.subscribe('chat:*')).toMatchObject({ op: 'ok', granted: ['chat:*'] });
    expect(await bus.pushToAccount('acme', 'chat:n', 1)).toMatchObject({ delivered: 1 });
  });

  it('new credentials take nothing that server code subscribed on its own authority, and hooks hear of the rest', async () => {
    const unsubscribed: unknown[] = [];
    @Injectable()
    class Watch {
      @OnLoopUnsubscribe()
      gone(_connection: LoopConnection, patterns: readonly string[]): void {
        unsubscribed.push(patterns);
      }
    }
    let allowed = true;
    const { client, get } = await startLoopApp({
      providers: [Watch],
      options: { defaultSubscriptions: ['chat:*'], authorize: () => allowed },
    });
    const one = await client('acme', { connectionId: 'phone' });
    const connection = get(ConnectionRegistry).get('acme', 'phone')!;
    await connection.subscribe('billing:*');
    allowed = false;
    expect(await one.ask({ op: 'auth', token: 'acme' })).toMatchObject({ removed: ['chat:*'] });
    expect([...connection.subscriptions]).toEqual(['billing:*']);
    expect(unsubscribed).toEqual([['chat:*']]);
  });

  it('subscribe and unsubscribe keep their order, also when handlers run side by side', async () => {
    const { client, get } = await startLoopApp({
      options: {
        defaultSubscriptions: [],
        authorize: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return true;
        },
        config: { handlersInFlight: 4 },
      },
    });
    const one = await client('acme', { connectionId: 'phone' });
    const subscribed = one.subscribe('chat:*');
    expect(await one.unsubscribe('chat:*')).toMatchObject({ removed: ['chat:*'] });
    expect(await subscribed).toMatchObject({ granted: ['chat:*'] });
    expect(get(ConnectionRegistry).get('acme', 'phone')!.subscriptions.size).toBe(0);
  });
});
