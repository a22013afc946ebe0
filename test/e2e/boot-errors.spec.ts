import { jest } from '@jest/globals';
import { type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AbstractWsAdapter } from '@nestjs/websockets';
import { LoopWsBootError, LoopWsModule, type LoopWsOptions, OnLoopEvent } from '../../lib/index.js';
import { MemoryTransport } from '../../lib/transport/memory/memory.transport.js';
import { closeLoopApps, loopModule, TEST_CONFIG, TEST_OPTIONS } from '../support/loop-app.js';

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
      /"services.billing.histry".*only option of a service is history/,
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
    [
      'Redis options of another package',
      { redis: { url: 'redis://127.0.0.1:1' } },
      /"redis" is options with "url".*uses ioredis: pass a URL/,
    ],
    [
      'a Redis client of another package',
      { redis: { duplicate: () => ({}) } },
      /"redis" is a client that is not of ioredis/,
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
    ['services that are a set', { services: new Set(['billing']) }, /"services" is Set.*an array/],
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
      /"defaultSubscriptions" is "a:\*".*array/,
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
