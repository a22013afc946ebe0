import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { jest } from '@jest/globals';
import {
  type DynamicModule,
  Injectable,
  Logger,
  Module,
  type ModuleMetadata,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import {
  AbstractWsAdapter,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import { WebSocket, WebSocketServer } from 'ws';
import {
  anonymousAccounts,
  EventBus,
  LoopWsBootError,
  LoopWsConfig,
  LoopWsModule,
  type LoopWsOptions,
  type LoopWsOptionsFactory,
  OnLoopEvent,
} from '../../lib/index.js';
import { LoopTestClient } from '../../lib/testing/index.js';
import { MemoryTransport } from '../../lib/transport/memory/memory.transport.js';
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

/** Boots to the point where an application would listen, and says why it did not. */
async function bootError(metadata: ModuleMetadata): Promise<LoopWsBootError> {
  const error: unknown = await Test.createTestingModule(metadata)
    .compile()
    .then((module) => module.createNestApplication({ logger: false }).init())
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(LoopWsBootError);
  return error as LoopWsBootError;
}

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

describe('a wrong option stops the boot with a sentence that names it and the remedy', () => {
  it.each<[string, object, RegExp]>([
    [
      'no authenticate',
      { authenticate: undefined },
      /"authenticate" is missing.*anonymousAccounts/,
    ],
    ['no services', { services: undefined }, /"services" is missing.*\['billing'\]/],
    ['empty services', { services: [] }, /"services" is missing/],
    ['a bad service name', { services: ['a b'] }, /"services" has "a b"/],
    [
      'an unknown service option',
      { services: { billing: { histry: 1 } } },
      /"services.billing.histry".*has the option history/,
    ],
    [
      'a history without a time',
      { services: { billing: { history: { size: 1 } } } },
      /"services.billing.history.ttlMs" is undefined.*whole number/,
    ],
    [
      'a history of no size',
      { services: { billing: { history: { size: 0, ttlMs: 1 } } } },
      /"services.billing.history.size" is 0.*from 1 to 10000/,
    ],
    [
      'a history with more',
      { services: { billing: { history: { size: 1, ttlMs: 1, max: 1 } } } },
      /"services.billing.history.max".*has size and ttlMs/,
    ],
    ['an unknown option', { pth: '/ws' }, /unknown option "pth".*path/],
    ['a bad path', { path: 'ws' }, /"path" is "ws".*\/ws/],
    [
      'a bad default pattern',
      { defaultSubscriptions: ['billing'] },
      /"defaultSubscriptions" has "billing"/,
    ],
    [
      'a default pattern of no service',
      { defaultSubscriptions: ['crm:*'] },
      /"crm" is not declared/,
    ],
    [
      'an origin with a path',
      { allowedOrigins: ['https://a.example/'] },
      /"allowedOrigins".*https:\/\/app.example/,
    ],
    ['origins that are no list', { allowedOrigins: 'https://a.example' }, /"allowedOrigins"/],
    ['authorize that is no function', { authorize: true }, /"authorize" is true.*a function/],
    ['an empty serverId', { serverId: '' }, /"serverId"/],
    ['an unknown config field', { config: { heartbeat: 1 } }, /"config.heartbeat".*heartbeatMs/],
    [
      'a config value of the wrong type',
      { config: { heartbeatMs: '5' } },
      /"config.heartbeatMs" is "5"/,
    ],
    [
      'a config value out of range',
      { config: { maxPayload: 0 } },
      /"config.maxPayload" is 0.*from 256/,
    ],
    [
      'limits that contradict',
      { config: { maxQueueBytes: 2_000 } },
      /maxEventBytes.*maxQueueBytes/,
    ],
    ['services that are a text', { services: 'billing' }, /"services" is "billing".*\['billing'\]/],
    ['services that are a set', { services: new Set(['billing']) }, /"services" is Set.*a list/],
    ['a service that JSON cannot write', { services: [1n] }, /"services" has 1n/],
    ['a service whose options are none', { services: { billing: 5 } }, /"services.billing" is 5/],
    [
      'authenticate that is no function',
      { authenticate: 'jwt' },
      /"authenticate" is "jwt".*function/,
    ],
    [
      'default patterns that are no list',
      { defaultSubscriptions: 'a:*' },
      /"defaultSubscriptions" is "a:\*".*list/,
    ],
    ['no origin in the list', { allowedOrigins: [undefined] }, /"allowedOrigins" has undefined/],
    ['"*" within a list', { allowedOrigins: ['*'] }, /"allowedOrigins" has "\*".*alone/],
    ['allowedOrigins that are null', { allowedOrigins: null }, /"allowedOrigins" is null/],
    ['a serverId that is no text', { serverId: 5 }, /"serverId" is 5.*unique/],
    ['a config that is a number', { config: 5 }, /"config" is 5.*heartbeatMs/],
    ['a config that is null', { config: null }, /"config" is null/],
    ['a config that is a promise', { config: Promise.resolve({}) }, /"config" is Promise/],
    [
      'a timing of more than a day',
      { config: { drainMs: 2_147_483_647 } },
      /"config.drainMs".*from 0 to 86400000/,
    ],
    [
      'a heartbeat too fast for its slots',
      { config: { heartbeatMs: 31 } },
      /"config.heartbeatMs" is 31.*from 32/,
    ],
    [
      'events that error frames would not fit',
      { config: { maxEventBytes: 1_023 } },
      /"config.maxEventBytes" is 1023.*from 1024/,
    ],
    [
      'a queue that error frames would not fit',
      { config: { maxQueueBytes: 1_023 } },
      /"config.maxQueueBytes".*from 1024/,
    ],
    [
      'a payload that is longer than a text can be',
      { config: { maxPayload: 2 ** 30 } },
      /"config.maxPayload".*to 500000000/,
    ],
    [
      'ids too short for a random one',
      { config: { maxIdLength: 35 } },
      /"config.maxIdLength" is 35.*from 36/,
    ],
    [
      'nesting that overflows the stack',
      { config: { maxDepth: 1_001 } },
      /"config.maxDepth".*to 1000\./,
    ],
    [
      'more ids than a map can hold',
      { config: { idempotencyMaxIds: 20_000_000 } },
      /"config.idempotencyMaxIds".*to 10000000/,
    ],
    ['a count that is no number', { config: { maxRooms: Number.NaN } }, /"config.maxRooms" is NaN/],
    [
      'compression that is no boolean',
      { config: { compression: 1 } },
      /"config.compression" is 1.*true or false/,
    ],
    ['events that are a number', { events: 5 }, /"events" is 5.*Standard Schema/],
    ['events that are null', { events: null }, /"events" is null/],
    ['events without a schema', { events: { 'billing:x': undefined } }, /"events" has "billing:x"/],
    [
      'a transport without methods',
      { transport: {} },
      /"transport" is {}.*LoopTransport with start, attach, detach, publish, close, isLive/,
    ],
    [
      'a transport that does not say whether it is live',
      { transport: Object.assign(new MemoryTransport(60_000), { isLive: undefined }) },
      /"transport" is MemoryTransport.*isLive/,
    ],
    ['a transport that is null', { transport: null }, /"transport" is null/],
    [
      'a transport that is its class',
      { transport: MemoryTransport },
      /"transport" is \[class MemoryTransport.*such as new/,
    ],
    [
      'a presence store that is a text',
      { presence: 'redis' },
      /"presence" is "redis".*PresenceStore with start, register/,
    ],
    [
      'a presence store that is a transport',
      { presence: new MemoryTransport(60_000) },
      /"presence" is MemoryTransport/,
    ],
    [
      'a schema that is none',
      { events: { 'billing:x': {} } },
      /"events" has "billing:x".*Standard Schema/,
    ],
  ])('%s', async (_what, change, message) => {
    const options = { ...OPTIONS, ...change } as LoopWsOptions;
    expect((await bootError({ imports: [LoopWsModule.forRoot(options)] })).message).toMatch(
      message,
    );
  });

  it('the same from a factory', async () => {
    const module = LoopWsModule.forRootAsync({
      useFactory: () => ({ services: ['billing'] }) as never,
    });
    expect((await bootError({ imports: [module] })).message).toMatch(/"authenticate" is missing/);
  });

  it.each([undefined, null, 'options', []])('a factory that returns %j', async (options) => {
    const module = LoopWsModule.forRootAsync({ useFactory: () => options as never });
    expect((await bootError({ imports: [module] })).message).toMatch(
      /pass an options object to forRoot, or return one/,
    );
  });

  it.each([undefined, null, 'options', []])('forRoot(%j)', (options) => {
    const sentence = /pass an options object to forRoot/;
    expect(() => LoopWsModule.forRoot(options as never)).toThrow(sentence);
    expect(() => LoopWsModule.forRootAsync(options as never)).toThrow(sentence);
  });

  it('isGlobal in what a factory returns', async () => {
    const useFactory = (): never => ({ ...OPTIONS, isGlobal: false }) as never;
    expect(
      (await bootError({ imports: [LoopWsModule.forRootAsync({ useFactory })] })).message,
    ).toMatch(/"isGlobal" belongs beside useFactory/);
  });

  it('a second forRoot', async () => {
    const imports = [loopModule(), loopModule({ path: '/other' })];
    expect((await bootError({ imports })).message).toMatch(/imported twice.*Import it once/);
  });

  it('an adapter that is not based on ws', async () => {
    class SocketIoLike extends AbstractWsAdapter {
      create(): unknown {
        return { on: () => {}, of: () => {} };
      }

      bindMessageHandlers(): void {}

      override bindClientConnect(): void {}

      override async close(): Promise<void> {}
    }
    const built = await Test.createTestingModule({ imports: [loopModule()] }).compile();
    const app = built.createNestApplication({ logger: false });
    app.useWebSocketAdapter(new SocketIoLike(app));
    await expect(app.listen(0)).rejects.toThrow(
      /not based on the "ws" package.*useWebSocketAdapter/,
    );
  });

  class First {
    @OnLoopEvent('chat:n')
    handle(): void {}
  }
  class Second {
    @OnLoopEvent('chat:n')
    handle(): void {}
  }
  class Undeclared {
    @OnLoopEvent('crm:n')
    handle(): void {}
  }
  class Wildcard {
    @OnLoopEvent('chat:*')
    handle(): void {}
  }

  it.each([
    [
      'two handlers of one event',
      [First, Second],
      /"chat:n" has two handlers, First.handle and Second.handle/,
    ],
    [
      'a handler of a service that is not declared',
      [Undeclared],
      /Undeclared.handle.*"crm" is not declared/,
    ],
    ['a handler of a pattern', [Wildcard], /Wildcard.handle is not a full event name/],
  ])('%s', async (_what, providers, message) => {
    expect((await bootError({ imports: [loopModule()], providers })).message).toMatch(message);
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
    expect(config).toMatchObject({
      maxPayload: 1_000,
      heartbeatMs: 25_000,
      maxQueueBytes: 1_048_576,
    });
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
    expect(warnings.mock.calls).toEqual([[expect.stringContaining('Give one of them another')]]);
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
