import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';
import {
  ConnectionRegistry,
  EventBus,
  LoopWsModule,
  OnLoopEvent,
  PresenceStore,
} from '../../lib/index.js';
import { LoopTestClient, MemoryCluster } from '../../lib/testing/index.js';
import { edgeLog } from '../support/edge-log.js';
import { eventually } from '../support/eventually.js';
import {
  closeLoopApps,
  type LoopApp,
  type LoopAppOptions,
  startLoopApp,
  track,
} from '../support/loop-app.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';
import { closeWorkers, startContext, startWorker } from '../support/workers.js';

const QUICK = { serverBeatMs: 50, serverTimeoutMs: 2_000, topicLingerMs: 0 };
const edges: string[] = [];

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(() => void (edges.length = 0));
afterEach(async () => {
  await closeLoopApps();
  await closeWorkers();
});
afterAll(endRedisServers);

/** What joins the processes of one test: options for each of them, asked for once per process. */
type Join = () => Promise<() => Pick<LoopAppOptions, 'redis' | 'transport' | 'presence'>>;

const JOINS: Readonly<Record<string, Join>> = {
  memory: async () => {
    const cluster = new MemoryCluster();
    return () => ({ transport: cluster.transport(), presence: cluster.presence() });
  },
  Redis: async () => {
    await redis.command('FLUSHALL');
    return () => ({ redis: redis.url });
  },
};

const QUICK_WORKER = { presenceGraceMs: 0, ...QUICK };

const startServer = (options: LoopAppOptions): Promise<LoopApp> =>
  startLoopApp({
    providers: [edgeLog(edges)],
    options: { ...options, config: { ...QUICK, ...options.config } },
  });

describe.each(Object.entries(JOINS))('a worker beside servers joined by %s', (_name, join) => {
  it('P5: pushes to a connection, an account, a room and a channel, and is told the truth', async () => {
    const joined = await join();
    const server = await startServer(joined());
    const bus = (await startWorker({ ...joined(), config: QUICK_WORKER })).get(EventBus);
    const client = await server.client('acme', { connectionId: 'phone' });
    await server.get(ConnectionRegistry).get('acme', 'phone')!.join('lobby');
    expect(await bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
    expect(await bus.pushToAccount('acme', 'chat:n', 2)).toEqual({
      delivered: 1,
      filtered: 0,
      failed: 0,
      servers: { expected: 2, answered: 2 },
      complete: true,
    });
    expect(await bus.pushToRoom('lobby', 'chat:n', 3)).toMatchObject({ delivered: 1 });
    expect(await bus.pushToChannel('chat:n', 4)).toMatchObject({ delivered: 1, complete: true });
    for (const expected of [1, 2, 3, 4]) expect(await client.next('chat:n')).toBe(expected);
    await client.unsubscribe('*:*');
    expect(await bus.pushToConnection('acme', 'phone', 'chat:n', 5)).toBe('filtered');
    expect(await bus.pushToConnection('acme', 'tablet', 'chat:n', 6)).toBe('not_connected');
  });

  it('asks, disconnects, reads presence and observes channels', async () => {
    const joined = await join();
    const server = await startServer(joined());
    const worker = await startWorker({ ...joined(), config: QUICK_WORKER });
    const bus = worker.get(EventBus);
    const client = await server.client('acme', { connectionId: 'phone' });
    const answer = bus.ask('acme', 'phone', 'chat:q', 'how many?', { timeoutMs: 2_000 });
    const question = await client.nextFrame('the question', (frame) => 'ask' in frame);
    client.send({ op: 'answer', ask: (question as { ask: number }).ask, data: 42 });
    expect(await answer).toBe(42);
    expect(await worker.get(PresenceStore).isOnline('acme')).toBe(true);
    expect(worker.get(ConnectionRegistry).size).toBe(0);
    const seen = firstValueFrom(bus.on('billing:*'));
    await eventually('the worker observes', async () => {
      const { servers } = await server.bus.pushToChannel('billing:paid', 'seen');
      return servers.expected === 2;
    });
    expect(await seen).toMatchObject({ name: 'billing:paid', data: 'seen' });
    expect(await bus.disconnect('acme', 'phone')).toEqual({ closed: 1, complete: true });
    expect(await client.closed).toMatchObject({ code: 4503 });
  });

  it('P7: it takes no presence edge from the servers, not even when they left before it', async () => {
    const joined = await join();
    await startWorker({ ...joined(), config: QUICK_WORKER });
    const first = await startServer({ ...joined(), config: { presenceGraceMs: 50 } });
    const client = await first.client('acme');
    await client.close();
    await eventually('the account is offline', () => edges.includes('-acme'));
    await first.client('late');
    await first.close();
    const second = await startServer({ ...joined(), config: { presenceGraceMs: 50 } });
    await eventually('the last account is offline', () => edges.includes('-late'));
    expect(await second.get(PresenceStore).count()).toEqual({ accounts: 0, connections: 0 });
    expect(edges).toEqual(['+acme', '-acme', '+late', '-late']);
  });
});

describe('gateway: false', () => {
  const seenByWorker: string[] = [];

  @Injectable()
  class Chat {
    @OnLoopEvent('chat:say')
    say(): void {
      seenByWorker.push('chat:say');
    }
  }

  it('needs no adapter for HTTP or WebSocket, and leaves nothing behind', async () => {
    const worker = await startWorker({ redis: redis.url, config: QUICK_WORKER });
    await worker.close();
    const clients = await redis.command<string>('CLIENT', 'LIST');
    expect(clients.trim().split('\n')).toHaveLength(1); // the one that asks
    expect(await redis.command('ZCARD', '{lw}servers')).toBe(0);
  });

  it('is said beside a factory', async () => {
    const worker = await startContext(
      LoopWsModule.forRootAsync({
        gateway: false,
        useFactory: () => ({ services: ['chat'], serverId: 'cron' }),
      }),
    );
    const pushed = await worker.get(EventBus).pushToAccount('acme', 'chat:n', 1);
    expect(pushed).toMatchObject({ delivered: 0, complete: true });
  });

  it('pushes from an HTTP application, where nobody can connect and no handler or hook runs', async () => {
    const joined = await JOINS['memory']!();
    const server = await startServer(joined());
    const client = await server.client('acme');
    const module = LoopWsModule.forRoot({ gateway: false, services: ['chat'], ...joined() });
    @Module({ imports: [module], providers: [Chat, edgeLog(seenByWorker)] })
    class ApiModule {}
    const api = await NestFactory.create(ApiModule, { logger: false });
    await api.listen(0, '127.0.0.1');
    const { bus, port } = track(api);
    expect(await bus.pushToAccount('acme', 'chat:n', 1)).toMatchObject({ delivered: 1 });
    expect(await client.next('chat:n')).toBe(1);
    const refused = LoopTestClient.connect(`ws://127.0.0.1:${port}`, {
      token: 'acme',
      path: '/ws',
    });
    await expect(refused).rejects.toThrow('the server closed with 1006. No frame came.');
    expect(await fetch(`http://127.0.0.1:${port}/ws`)).toMatchObject({ status: 404 });
    await client.close();
    await eventually('the server reports', () => edges.includes('-acme'));
    expect(seenByWorker).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['path', '/ws'],
    ['defaultSubscriptions', []],
    ['authenticate', () => null],
    ['authorize', () => true],
    ['allowedOrigins', '*'],
  ])('refuses %s, which only a gateway needs', async (name, value) => {
    const options = { gateway: false, services: ['chat'], [name]: value } as never;
    await expect(startContext(LoopWsModule.forRoot(options))).rejects.toThrow(
      `option "${name}" is for a process that clients connect to`,
    );
  });

  it('refuses a value that is neither true nor false', () => {
    const options = { gateway: 'no', services: ['chat'] } as never;
    expect(() => LoopWsModule.forRoot(options)).toThrow(
      /option "gateway" is "no"; it must be false for a process that only pushes/,
    );
  });

  it('is imported once, like the module with a gateway', async () => {
    const once = () => LoopWsModule.forRoot({ gateway: false, services: ['chat'] });
    @Module({ imports: [once(), once()] })
    class TwiceModule {}
    await expect(startContext(TwiceModule)).rejects.toThrow(/imported twice/);
  });

  it('in what a factory returns is refused', async () => {
    const useFactory = () => ({ services: ['chat'], gateway: false }) as never;
    await expect(startContext(LoopWsModule.forRootAsync({ useFactory }))).rejects.toThrow(
      /option "gateway" belongs beside useFactory.*forRootAsync\({ gateway: false, useFactory }\)/s,
    );
  });
});
