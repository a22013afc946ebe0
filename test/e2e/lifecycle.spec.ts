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
import { edgeLog } from '../support/edge-log.js';
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

describe('a second connection with the same identity', () => {
  it('replaces the first, which is told 4509; the account never looks offline', async () => {
    const edges: string[] = [];
    const { client, bus, get } = await startLoopApp({ providers: [edgeLog(edges)] });
    const first = await client('acme', { connectionId: 'phone' });
    const second = await client('acme', { connectionId: 'phone' });
    expect((await first.closed).code).toBe(4509);
    expect(get(ConnectionRegistry).size).toBe(1);
    expect(await bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
    expect(await second.next('chat:n')).toBe(1);
    expect(await get(PresenceStore).connectionsOf('acme')).toHaveLength(1);
    await second.close();
    await eventually('the account is offline', () => edges.length === 2);
    expect(edges).toEqual(['+acme', '-acme']);
  });
});

describe('P7: presence', () => {
  async function withEdges(presenceGraceMs: number) {
    const edges: string[] = [];
    const app = await startLoopApp({
      providers: [edgeLog(edges)],
      options: { config: { presenceGraceMs } },
    });
    return { ...app, edges };
  }

  it('an account is online from its first connection to its last, each edge once', async () => {
    const { client, get, edges } = await withEdges(0);
    const store = get(PresenceStore);
    const [a, b] = [
      await client('acme', { connectionId: 'a' }),
      await client('acme', { connectionId: 'b' }),
    ];
    expect(await store.isOnline('acme')).toBe(true);
    expect((await store.connectionsOf('acme')).map(({ connectionId }) => connectionId)).toEqual([
      'a',
      'b',
    ]);
    await a.close();
    await eventually('one is left', async () => (await store.count()).connections === 1);
    expect(edges).toEqual(['+acme']);
    await b.close();
    await eventually('the edge is reported', () => edges.length === 2);
    expect(edges).toEqual(['+acme', '-acme']);
    expect(await store.isOnline('acme')).toBe(false);
  });

  it('a reconnect within the grace shows no edge', async () => {
    const { client, get, edges } = await withEdges(60_000);
    await (await client('acme')).close();
    await eventually(
      'nobody is left',
      async () => (await get(PresenceStore).count()).connections === 0,
    );
    expect(await get(PresenceStore).isOnline('acme')).toBe(false);
    await client('acme');
    expect(edges).toEqual(['+acme']);
  });

  it('accounts come in pages', async () => {
    const { client, get } = await withEdges(0);
    for (const account of ['c', 'a', 'b']) await client(account);
    const store = get(PresenceStore);
    const first = await store.accounts({ limit: 2 });
    const second = await store.accounts({ limit: 2, after: first.next! });
    expect(first.accounts).toHaveLength(2);
    expect(second.next).toBeUndefined();
    expect([...first.accounts, ...second.accounts].toSorted()).toEqual(['a', 'b', 'c']);
  });
});

describe('ConnectionRegistry', () => {
  it('is what this server has: size, look-up, iteration and events', async () => {
    const { client, get } = await startLoopApp();
    const registry = get(ConnectionRegistry);
    const events: string[] = [];
    registry.events$.subscribe(({ type, connection }) =>
      events.push(`${type} ${connection.connectionId}`),
    );
    const phone = await client('acme', { connectionId: 'phone' });
    await client('acme', { connectionId: 'laptop' });
    await client('other', { connectionId: 'phone' });
    expect(registry.size).toBe(3);
    expect(registry.ofAccount('acme')).toHaveLength(2);
    expect(registry.get('acme', 'phone')!.accountId).toBe('acme');
    expect([...registry].map(({ accountId }) => accountId)).toEqual(['acme', 'acme', 'other']);
    await phone.close();
    await eventually('it is gone', () => registry.size === 2);
    await eventually('and that is told', () => events.length === 4);
    expect(events).toEqual(['opened phone', 'opened laptop', 'opened phone', 'closed phone']);
  });
});

describe('an observer of events$', () => {
  it('that throws is logged, goes on observing, and harms nobody', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const { client, get } = await startLoopApp();
    let seen = 0;
    get(ConnectionRegistry).events$.subscribe(() => {
      seen++;
      throw new Error('observer broke');
    });
    await (await client()).close();
    await client('other');
    await eventually('all three were seen', () => seen === 3);
    expect(log.mock.calls.flat().join()).toContain('observer broke');
  });
});

describe('LoopConnection', () => {
  it('subscribes, joins and leaves on the authority of server code, within the limits', async () => {
    const { client, get, bus } = await startLoopApp({
      options: {
        defaultSubscriptions: [],
        authorize: () => false,
        config: { maxSubscriptions: 2, maxRooms: 1 },
      },
    });
    const one = await client('acme', { connectionId: 'phone' });
    const connection = get(ConnectionRegistry).get('acme', 'phone')!;
    await connection.subscribe('chat:*', 'chat:*', 'billing:*');
    await connection.join('lobby');
    await expect(connection.subscribe('device:*')).rejects.toThrow(/config.maxSubscriptions/);
    await expect(connection.subscribe('nope' as 'a:b')).rejects.toThrow(/no pattern/);
    await expect(connection.subscribe('crm:*')).rejects.toThrow(/not declared/);
    await expect(connection.join('')).rejects.toThrow(/non-empty text/);
    await expect(connection.join('other')).rejects.toThrow(/config.maxRooms/);
    expect([...connection.subscriptions, ...connection.rooms]).toEqual([
      'chat:*',
      'billing:*',
      'lobby',
    ]);
    expect((await bus.pushToRoom('lobby', 'chat:n', 1)).delivered).toBe(1);
    connection.unsubscribe('chat:*');
    connection.leave('lobby');
    expect(await bus.pushToAccount('acme', 'chat:n', 2)).toMatchObject({
      delivered: 0,
      filtered: 1,
    });
    expect(connection.send('device:direct', 3)).toBe('delivered');
    expect(await one.next('device:direct')).toBe(3);
    expect(() => connection.send('crm:x', 1)).toThrow(/not declared/);
    connection.close();
    expect(connection.send('device:direct', 4)).toBe('send_failed');
    expect((await one.closed).code).toBe(1000);
  });
});

describe('P9: shutdown', () => {
  it('advises when to come back, closes with 1012, awaits the hooks and leaves presence empty', async () => {
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
    const ids = ['a', 'b', 'c', 'd'];
    const clients = await Promise.all(
      ids.map((id) => loopApp.client('acme', { connectionId: id })),
    );
    const closing = loopApp.close().then(() => done.push('closed'));
    for (const one of clients) {
      const advice = await one.nextFrame('advice', ({ op }) => op === 'reconnect');
      expect((advice as { afterMs: number }).afterMs).toBeLessThanOrEqual(700);
      expect(await one.closed).toEqual({ code: 1012, reason: 'The server is leaving.' });
    }
    gate.resolve();
    await closing;
    expect(done.toSorted()).toEqual(['a', 'b', 'c', 'closed', 'd']);
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
    const { WebSocket } = await import('ws');
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
