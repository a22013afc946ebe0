import { Injectable, Logger, UnauthorizedException } from '@nestjs/common';
import { jest } from '@jest/globals';
import {
  type ConnectionClose,
  ConnectionRegistry,
  EventBus,
  LoopConnection,
  OnLoopConnect,
  OnLoopDisconnect,
  OnLoopSubscribe,
  OnLoopUnsubscribe,
  PresenceStore,
} from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

describe('@OnLoopConnect', () => {
  it('is awaited before the welcome and before the first frame, which is kept in order', async () => {
    const gate = deferred();
    @Injectable()
    class Slow {
      @OnLoopConnect()
      async connect(connection: LoopConnection): Promise<void> {
        await gate.promise;
        connection.data.role = 'admin';
        connection.send('chat:hello', 'sent while connecting');
      }
    }
    const { client, get } = await startLoopApp({ providers: [Slow] });
    const connecting = client('acme', { connectionId: 'phone' });
    gate.resolve();
    const one = await connecting;
    expect(one.frames[0]).toMatchObject({
      op: 'welcome',
      accountId: 'acme',
      connectionId: 'phone',
    });
    expect(await one.next('chat:hello')).toBe('sent while connecting');
    expect(get(ConnectionRegistry).get('acme', 'phone')!.data).toEqual({ role: 'admin' });
  });

  it.each([
    ['an HttpException 401', () => new UnauthorizedException('No.'), 4501],
    ['an unknown error', () => new Error('database away'), 1011],
  ])(
    'refuses the connection when it throws %s, and nobody is registered',
    async (_what, error, code) => {
      jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
      const disconnected = jest.fn();
      @Injectable()
      class Refusing {
        @OnLoopConnect()
        async connect(): Promise<void> {
          throw error();
        }

        @OnLoopDisconnect()
        disconnect(): void {
          disconnected();
        }
      }
      const { client, get } = await startLoopApp({ providers: [Refusing] });
      await expect(client()).rejects.toThrow(`the server closed with ${code}`);
      expect(get(ConnectionRegistry).size).toBe(0);
      expect(await get(PresenceStore).count()).toEqual({ accounts: 0, connections: 0 });
      expect(disconnected).not.toHaveBeenCalled();
    },
  );

  it('that never settles ends in 1013 after connectTimeoutMs', async () => {
    @Injectable()
    class Hanging {
      @OnLoopConnect()
      connect(): Promise<void> {
        return new Promise(() => {});
      }
    }
    const { client } = await startLoopApp({
      providers: [Hanging],
      options: { config: { connectTimeoutMs: 30 } },
    });
    await expect(client()).rejects.toThrow('the server closed with 1013');
  });
});

describe('@OnLoopDisconnect', () => {
  it('tells code and reason once, and a failing hook harms nobody', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const closes: ConnectionClose[] = [];
    @Injectable()
    class Watch {
      @OnLoopDisconnect()
      async disconnect(_connection: LoopConnection, close: ConnectionClose): Promise<void> {
        closes.push(close);
        throw new Error('late');
      }
    }
    const { client, get } = await startLoopApp({ providers: [Watch] });
    const one = await client();
    await one.close(3001);
    await eventually('the hook ran', () => closes.length === 1);
    const two = await client('acme', { connectionId: 'two' });
    get(ConnectionRegistry).disconnect('acme', 'two', 4000, 'Enough.');
    expect(await two.closed).toEqual({ code: 4000, reason: 'Enough.' });
    await eventually('the hook ran again', () => closes.length === 2);
    expect(closes).toEqual([
      { code: 3001, reason: '' },
      { code: 4000, reason: 'Enough.' },
    ]);
  });
});

describe('a connection that is gone', () => {
  it('still says what it held, so that its rooms can be told, and holds nothing any more', async () => {
    const held: unknown[] = [];
    @Injectable()
    class Goodbye {
      constructor(private readonly bus: EventBus) {}

      @OnLoopConnect()
      enter(connection: LoopConnection): Promise<void> {
        return connection.join('lobby');
      }

      @OnLoopDisconnect()
      async leave(connection: LoopConnection): Promise<void> {
        await Promise.resolve();
        connection.leave('lobby');
        held.push([...connection.rooms, ...connection.subscriptions]);
        await this.bus.pushToRoom('lobby', 'chat:left', connection.accountId);
      }
    }
    const { client, bus } = await startLoopApp({ providers: [Goodbye] });
    const [a, b] = [await client('a'), await client('b')];
    await a.close();
    expect(await b.next('chat:left')).toBe('a');
    expect(held).toEqual([['lobby', '*:*']]);
    expect(await bus.pushToRoom('lobby', 'chat:n', 1)).toMatchObject({ delivered: 1, filtered: 0 });
  });
});

describe('@OnLoopSubscribe and @OnLoopUnsubscribe', () => {
  it('tell what was granted and what was given up', async () => {
    const calls: unknown[] = [];
    @Injectable()
    class Watch {
      @OnLoopSubscribe()
      subscribed(connection: LoopConnection, patterns: readonly string[]): void {
        calls.push(['+', connection.accountId, patterns]);
      }

      @OnLoopUnsubscribe()
      unsubscribed(_connection: LoopConnection, patterns: readonly string[]): void {
        calls.push(['-', patterns]);
      }
    }
    const { client } = await startLoopApp({
      providers: [Watch],
      options: { defaultSubscriptions: [] },
    });
    const one = await client();
    await one.subscribe('chat:*', 'nowhere:*');
    await one.unsubscribe('chat:*', 'billing:*');
    expect(calls).toEqual([
      ['+', 'acme', ['chat:*']],
      ['-', ['chat:*']],
    ]);
  });
});

describe('authorize', () => {
  it('is asked for each pattern, defaults included; a failure is a no', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const { client } = await startLoopApp({
      options: {
        defaultSubscriptions: ['chat:*', 'billing:*'],
        authorize: async ({ accountId }, pattern) => {
          if (pattern === 'device:*') throw new Error('lookup failed');
          return accountId === 'acme' && pattern.startsWith('chat:');
        },
      },
    });
    const one = await client();
    expect(one.welcome.subscriptions).toEqual(['chat:*']);
    expect(await one.subscribe('chat:note', 'billing:*', 'device:*')).toEqual({
      op: 'ok',
      id: 1,
      granted: ['chat:note'],
      denied: [
        { pattern: 'billing:*', code: 'forbidden', message: expect.any(String) },
        { pattern: 'device:*', code: 'forbidden', message: expect.any(String) },
      ],
    });
  });
});
