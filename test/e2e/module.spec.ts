import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { jest } from '@jest/globals';
import { type DynamicModule, Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { WebSocket, WebSocketServer } from 'ws';
import {
  anonymousAccounts,
  EventBus,
  LoopWsConfig,
  LoopWsModule,
  type LoopWsOptions,
  type LoopWsOptionsFactory,
} from '../../lib/index.js';
import { LoopTestClient } from '../../lib/testing/index.js';
import {
  closeLoopApps,
  type LoopApp,
  loopModule,
  startLoopApp,
  TEST_CONFIG,
  TEST_OPTIONS,
  track,
} from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

const OPTIONS: LoopWsOptions = { ...TEST_OPTIONS, config: TEST_CONFIG };

async function expectDelivery(module: DynamicModule): Promise<void> {
  const built = await Test.createTestingModule({ imports: [module] }).compile();
  const app = built.createNestApplication();
  await app.listen(0, '127.0.0.1');
  const { bus, client } = track(app);
  const one = await client();
  await bus.pushToAccount('acme', 'billing:x', 1);
  expect(await one.next('billing:x')).toBe(1);
}

describe('forRoot and forRootAsync', () => {
  it('forRoot', () => expectDelivery(LoopWsModule.forRoot(OPTIONS)));

  it('forRootAsync with useFactory and what it injects', async () => {
    @Module({ providers: [{ provide: 'services', useValue: ['billing'] }], exports: ['services'] })
    class SettingsModule {}
    await expectDelivery(
      LoopWsModule.forRootAsync({
        imports: [SettingsModule],
        inject: ['services'],
        useFactory: async (services: string[]) => ({ ...OPTIONS, services }),
      }),
    );
  });

  @Injectable()
  class Options implements LoopWsOptionsFactory {
    createLoopWsOptions(): LoopWsOptions {
      return OPTIONS;
    }
  }

  it('forRootAsync with useClass', () =>
    expectDelivery(LoopWsModule.forRootAsync({ useClass: Options })));

  it('forRootAsync with useExisting', async () => {
    @Module({ providers: [Options], exports: [Options] })
    class OptionsModule {}
    await expectDelivery(
      LoopWsModule.forRootAsync({ imports: [OptionsModule], useExisting: Options }),
    );
  });

  it('is global: a module that imports nothing can inject the bus; isGlobal: false is not', async () => {
    @Injectable()
    class Feature {
      constructor(readonly bus: EventBus) {}
    }
    @Module({ providers: [Feature] })
    class FeatureModule {}
    const { get, bus } = await startLoopApp({ imports: [FeatureModule] });
    expect(get(Feature).bus).toBe(bus);
    const local = LoopWsModule.forRoot({ ...OPTIONS, isGlobal: false });
    const compiling = Test.createTestingModule({ imports: [local, FeatureModule] }).compile();
    await expect(compiling).rejects.toThrow(/EventBus/);
  });

  it('two applications in one process do not know of each other', async () => {
    const [a, b] = [await startLoopApp(), await startLoopApp()];
    const one = await a.client();
    expect(await b.bus.pushToAccount('acme', 'chat:n', 1)).toMatchObject({ delivered: 0 });
    expect(await a.bus.pushToAccount('acme', 'chat:n', 2)).toMatchObject({ delivered: 1 });
    expect(await one.next('chat:n')).toBe(2);
  });

  it('one root module serves several applications of a process, whatever the order of their boots', async () => {
    @Module({ imports: [loopModule()] })
    class RootModule {}
    const create = () => NestFactory.create(RootModule, { logger: false });
    const apps = await Promise.all([create(), create()]);
    for (const app of apps) await app.listen(0, '127.0.0.1');
    const [a, b] = apps.map((app) => track(app)) as [LoopApp, LoopApp];
    const [onA, onB] = [await a.client('acme'), await b.client('acme')];
    expect((await a.bus.pushToAccount('acme', 'chat:n', 'a')).delivered).toBe(1);
    expect((await b.bus.pushToAccount('acme', 'chat:n', 'b')).delivered).toBe(1);
    expect([await onA.next('chat:n'), await onB.next('chat:n')]).toEqual(['a', 'b']);
  });

  it('works without HTTP: a worker injects the bus and pushes', async () => {
    @Module({ imports: [loopModule()] })
    class WorkerModule {}
    const context = await NestFactory.createApplicationContext(WorkerModule, { logger: false });
    const result = await context.get(EventBus).pushToConnection('acme', 'phone', 'chat:n', 1);
    await context.close();
    expect(result).toBe('not_connected');
  });
});

it('an option that is undefined is one that was not given', async () => {
  const absent = {
    path: undefined,
    defaultSubscriptions: undefined,
    authorize: undefined,
    allowedOrigins: undefined,
    serverId: undefined,
    events: undefined,
    transport: undefined,
    presence: undefined,
  };
  const config = { heartbeatMs: undefined, compression: undefined };
  const { client, get } = await startLoopApp({ options: { ...absent, config } });
  expect((await client()).welcome).toMatchObject({ heartbeatMs: 25_000, subscriptions: [] });
  expect(get(LoopWsConfig)).toMatchObject({ heartbeatMs: 25_000, compression: false });
});

describe('LoopWsConfig', () => {
  it('is injectable, has every default, and is frozen', async () => {
    const { get } = await startLoopApp({ options: { config: { maxPayload: 1_000 } } });
    const config = get(LoopWsConfig);
    const changes = { ...TEST_CONFIG, maxPayload: 1_000 };
    expect(config).toEqual(Object.assign(new LoopWsConfig(), changes));
    expect(() => Object.assign(config, { maxPayload: 1 })).toThrow(TypeError);
  });

  it('takes the outermost values that it names', async () => {
    const config = { heartbeatMs: 32, drainMs: 0, pushTtlMs: 86_400_000, maxIssues: 0 };
    const { get } = await startLoopApp({ options: { config } });
    expect(get(LoopWsConfig)).toMatchObject(config);
  });

  it('may be an instance of its own class', async () => {
    const { get } = await startLoopApp({ options: { config: new LoopWsConfig() } });
    expect(get(LoopWsConfig)).toEqual(new LoopWsConfig());
  });
});

describe('anonymousAccounts', () => {
  it('lets everyone in, each connection as an account of its own', async () => {
    const { client } = await startLoopApp({ options: { authenticate: anonymousAccounts() } });
    const [a, b] = [await client(), await client('', { query: { account: 'tab-1' } })];
    expect(a.welcome.accountId).not.toBe(b.welcome.accountId);
    expect(b.welcome.accountId).toBe('tab-1');
  });
});

describe('beside others on the same server', () => {
  @WebSocketGateway({ path: '/own' })
  class OwnGateway {
    @SubscribeMessage('echo')
    echo(@MessageBody() body: unknown): unknown {
      return { event: 'echo', data: body };
    }
  }

  async function echoOf(port: number): Promise<unknown> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/own`);
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => socket.send(JSON.stringify({ event: 'echo', data: 'hi' })));
      socket.on('message', (text) => {
        resolve(JSON.parse((text as Buffer).toString()));
        socket.close();
      });
    });
  }

  it.each([
    ['our default adapter', undefined],
    ["the application's own WsAdapter", WsAdapter],
  ])('a gateway of the application goes on working, with %s', async (_what, Adapter) => {
    const { port, client } = await startLoopApp({
      providers: [OwnGateway],
      prepare: (app) => Adapter && app.useWebSocketAdapter(new Adapter(app)),
    });
    expect((await client()).welcome.accountId).toBe('acme');
    expect(await echoOf(port)).toEqual({ event: 'echo', data: 'hi' });
  });

  it('P6: another gateway that took our path is named, not once for each socket that comes to it', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const taken: WebSocketServer[] = [];
    @WebSocketGateway({ path: '/ws' })
    class Usurper {
      afterInit(server: WebSocketServer): void {
        taken.push(server);
      }
    }
    await startLoopApp({ imports: [{ module: Usurper, providers: [Usurper] }] });
    // Whose options the server of the path has differs between versions of Nest; a server of its own lets all in.
    const lenient = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    lenient.on('connection', (socket, request) => taken[0]!.emit('connection', socket, request));
    await once(lenient, 'listening');
    const { port } = lenient.address() as AddressInfo;
    for (let n = 0; n < 3; n++) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`);
      expect((await once(socket, 'close'))[0]).toBe(1011);
    }
    lenient.close();
    expect(warnings.mock.calls).toEqual([
      [expect.stringContaining('Give one of them a different')],
    ]);
  });

  it('another upgrade listener, as GraphQL has, gets its own paths', async () => {
    const other = new WebSocketServer({ noServer: true });
    const { port, client } = await startLoopApp({
      prepare: (app) => {
        app.getHttpServer().on('upgrade', (request: never, socket: never, head: never) => {
          if ((request as { url: string }).url !== '/graphql') return;
          other.handleUpgrade(request, socket, head, (ws) => ws.send('graphql'));
        });
      },
    });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`);
    const first = await new Promise((resolve, reject) => {
      socket.on('message', (text) => resolve((text as Buffer).toString()));
      socket.on('error', reject);
    });
    expect(first).toBe('graphql');
    expect((await client()).welcome.accountId).toBe('acme');
    socket.terminate();
    other.close();
  });

  it('Fastify serves it as Express does', async () => {
    const built = await Test.createTestingModule({ imports: [loopModule()] }).compile();
    const app = built.createNestApplication(new FastifyAdapter());
    await app.listen(0, '127.0.0.1');
    const { client, bus } = track(app);
    const one = await client();
    await bus.pushToAccount('acme', 'chat:n', 1);
    expect(await one.next('chat:n')).toBe(1);
  });

  it('a global prefix moves the routes and not the socket; a path of its own is served there', async () => {
    const loopApp = await startLoopApp({
      options: { path: '/live/socket' },
      prepare: (app) => app.setGlobalPrefix('api'),
    });
    expect((await loopApp.client()).welcome.accountId).toBe('acme');
    const refused = LoopTestClient.connect(`ws://127.0.0.1:${loopApp.port}`, { token: 'acme' });
    await expect(refused).rejects.toThrow(/closed/);
  });
});
