import {
  ForbiddenException,
  HttpException,
  Injectable,
  Logger,
  NotFoundException,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { jest } from '@jest/globals';
import { LifecycleHooks } from '../../lib/handlers/lifecycle.hooks.js';
import {
  ConnectionRegistry,
  type LoopConnection,
  LoopWsException,
  OnAccountOffline,
  OnAccountOnline,
  OnLoopConnect,
  OnLoopDisconnect,
  PresenceStore,
} from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

describe.each([
  ['throws', raise],
  ['rejects with', async (error: Error) => raise(error)],
])('what @OnLoopConnect %s', (_how, fail) => {
  it.each([
    ['an HttpException 401', new UnauthorizedException(), 4501],
    ['an HttpException 429', new HttpException('Slowly.', 429), 4429],
    ['an HttpException 503', new ServiceUnavailableException(), 1013],
    ['an HttpException 403', new ForbiddenException(), 4503],
    ['an HttpException 404', new NotFoundException(), 4503],
    ['a WsException', new WsException('No.'), 4503],
    ['a LoopWsException with a code of its own', new LoopWsException('banned', 'No.'), 4503],
    ['any other error', new Error('database away'), 1011],
  ])('decides the close code, and nothing is left: %s', async (_what, thrown, code) => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const disconnected = jest.fn();
    @Injectable()
    class Refusing {
      @OnLoopConnect()
      connect(): Promise<never> {
        return fail(thrown);
      }

      @OnLoopDisconnect()
      disconnect(): void {
        disconnected();
      }
    }
    const { client, get, close } = await startLoopApp({ providers: [Refusing] });
    await expect(client()).rejects.toThrow(`the server closed with ${code}`);
    expect(get(ConnectionRegistry).size).toBe(0);
    expect(await get(PresenceStore).count()).toEqual({ accounts: 0, connections: 0 });
    await close(); // it waits for the hooks
    expect(disconnected).not.toHaveBeenCalled();
  });
});

describe('hooks that nobody waits for', () => {
  it('do not run within the call that caused them, and keep their order', async () => {
    const log: string[] = [];
    @Injectable()
    class Watch {
      @OnLoopDisconnect()
      gone({ connectionId }: LoopConnection): void {
        log.push(`gone ${connectionId}`);
      }

      @OnAccountOnline()
      online(accountId: string): void {
        log.push(`online ${accountId}`);
      }
    }
    const { client, get } = await startLoopApp({ providers: [Watch] });
    await client('acme', { connectionId: 'phone' });
    await eventually('the account is online', () => log.length === 1);
    const hooks = get(LifecycleHooks);
    const connection = get(ConnectionRegistry).get('acme', 'phone')!;
    hooks.disconnect(connection, { code: 1000, reason: '' });
    hooks.presenceEdge({ accountId: 'other', online: true });
    hooks.presenceEdge({ accountId: 'third', online: true });
    expect(log).toEqual(['online acme']);
    await eventually('the hooks ran', () => log.length === 4);
    expect(log.slice(1)).toEqual(['gone phone', 'online other', 'online third']);
  });
});

describe('presence hooks of one account', () => {
  it('P7: do not overlap, and do not wait for those of another', async () => {
    const gate = deferred();
    const log: string[] = [];
    @Injectable()
    class Status {
      @OnAccountOnline()
      async online(accountId: string): Promise<void> {
        if (accountId === 'acme') await gate.promise;
        log.push(`${accountId} online`);
      }

      @OnAccountOffline()
      offline(accountId: string): void {
        log.push(`${accountId} offline`);
      }
    }
    const { client } = await startLoopApp({ providers: [Status] });
    await (await client('acme')).close();
    await (await client('other')).close();
    await eventually('the other account is offline', () => log.length === 2);
    expect(log).toEqual(['other online', 'other offline']);
    gate.resolve();
    await eventually('the account is offline', () => log.length === 4);
    expect(log.slice(2)).toEqual(['acme online', 'acme offline']);
  });

  it('P7: run although the one before failed, which is logged', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const offline = jest.fn();
    @Injectable()
    class Status {
      @OnAccountOnline()
      async online(): Promise<void> {
        throw new Error('database away');
      }

      @OnAccountOffline()
      offline(accountId: string): void {
        offline(accountId);
      }
    }
    const { client } = await startLoopApp({ providers: [Status] });
    await (await client('acme')).close();
    await eventually('the account is offline', () => offline.mock.calls.length === 1);
    expect(errors.mock.calls).toEqual([
      ['@OnAccountOnline failed', expect.stringContaining('database away')],
    ]);
  });
});

describe('hooks that fail for every connection', () => {
  it('P6: are logged once per kind, however often a peer comes and goes', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    let failures = 0;
    @Injectable()
    class Failing {
      @OnLoopDisconnect()
      gone(): never {
        failures++;
        throw new Error('audit log away');
      }

      @OnAccountOnline()
      online(): never {
        failures++;
        throw new Error('database away');
      }
    }
    const { client } = await startLoopApp({ providers: [Failing] });
    for (let n = 0; n < 5; n++) await (await client(`acme-${n}`)).close();
    await eventually('all hooks have failed', () => failures === 10);
    expect(errors.mock.calls.map(([message]) => message as string).toSorted()).toEqual([
      '@OnAccountOnline failed',
      '@OnLoopDisconnect failed',
    ]);
  });
});

describe('a presence hook that never settles', () => {
  it('P7: keeps the next one waiting for handlerTimeoutMs, and is logged', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const offline = jest.fn();
    @Injectable()
    class Status {
      @OnAccountOnline()
      online(): Promise<never> {
        return new Promise(() => {});
      }

      @OnAccountOffline()
      offline(accountId: string): void {
        offline(accountId);
      }
    }
    const { client } = await startLoopApp({
      providers: [Status],
      options: { config: { handlerTimeoutMs: 30 } },
    });
    await (await client('acme')).close();
    await eventually('the account is offline', () => offline.mock.calls.length === 1);
    expect(errors.mock.calls).toEqual([
      ['@OnAccountOnline failed', expect.stringContaining('within 30 ms')],
    ]);
  });
});

describe('P6: a disconnect hook that never settles', () => {
  it('keeps its connection for handlerTimeoutMs, and is logged', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    @Injectable()
    class Audit {
      @OnLoopDisconnect()
      gone(): Promise<never> {
        return new Promise(() => {});
      }
    }
    const { client, close } = await startLoopApp({
      providers: [Audit],
      options: { config: { handlerTimeoutMs: 30 } },
    });
    await (await client('acme')).close();
    await eventually('it is logged', () => errors.mock.calls.length === 1);
    expect(errors.mock.calls).toEqual([
      ['@OnLoopDisconnect failed', expect.stringContaining('within 30 ms')],
    ]);
    await close();
  });
});

function raise(error: Error): never {
  throw error;
}
