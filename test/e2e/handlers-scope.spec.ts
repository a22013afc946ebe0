import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  Scope,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  type LoopConnection,
  LoopWsBootError,
  OnAccountOffline,
  OnAccountOnline,
  OnLoopConnect,
  OnLoopDisconnect,
  OnLoopEvent,
} from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);

describe('a request-scoped hook', () => {
  it('is told the account by a hook of accounts, the connection by one of connections', async () => {
    const seen: unknown[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      constructor(
        @Inject(REQUEST)
        private readonly request: { accountId?: string; connection?: LoopConnection },
      ) {}

      @OnLoopConnect()
      connect(): void {
        seen.push([Object.keys(this.request), this.request.connection?.connectionId]);
      }

      @OnAccountOnline()
      online(): void {
        seen.push(this.request);
      }

      @OnAccountOffline()
      offline(): void {
        seen.push(this.request);
      }
    }
    const { client } = await startLoopApp({ providers: [Scoped] });
    await (await client('acme', { connectionId: 'phone' })).close();
    await eventually('the hooks ran', () => seen.length === 3);
    expect(seen).toEqual([[['connection'], 'phone'], { accountId: 'acme' }, { accountId: 'acme' }]);
  });
});

describe('a provider whose instance could not be had', () => {
  @Injectable()
  class Service {}

  @Injectable({ scope: Scope.TRANSIENT })
  class TransientEvents {
    readonly service = new Service();

    @OnLoopEvent('chat:send')
    send(): void {}
  }

  @Injectable({ scope: Scope.TRANSIENT })
  class TransientHooks {
    @OnLoopDisconnect()
    gone(): void {}
  }

  class Made {
    @OnLoopEvent('chat:send')
    send(): void {}
  }

  it.each<[string, Type | object, string]>([
    ['transient, with an event', TransientEvents, 'TransientEvents.send is on a transient'],
    ['transient, with a hook', TransientHooks, 'TransientHooks.gone is on a transient'],
    [
      'transient, from a factory',
      { provide: Made, useFactory: () => new Made(), scope: Scope.TRANSIENT },
      'Made.send is on a transient factory',
    ],
    [
      'request-scoped, from a factory',
      { provide: Made, useFactory: () => new Made(), scope: Scope.REQUEST },
      'Made.send is on a request-scoped factory',
    ],
  ])('stops the boot: %s', async (_what, provider, sentence) => {
    const started = startLoopApp({ providers: [provider as Type] });
    await expect(started).rejects.toThrow(LoopWsBootError);
    await expect(started).rejects.toThrow(`LoopWs: ${sentence}`);
    await expect(started).rejects.toThrow(/[Mm]ake it a singleton/);
  });

  it('is no static factory: its handlers run', async () => {
    const { client } = await startLoopApp({
      providers: [{ provide: Made, useFactory: () => new Made() }],
    });
    expect(await (await client()).request('chat:send')).toEqual({ op: 'reply', id: 1 });
  });
});

describe('what a guard enters with AsyncLocalStorage', () => {
  const tenant = new AsyncLocalStorage<string>();

  @Injectable()
  class EnterTenant implements CanActivate {
    canActivate(context: ExecutionContext): boolean {
      const name = context.switchToWs().getData<string | null>();
      if (name !== null) tenant.enterWith(name);
      return true;
    }
  }

  @Injectable()
  @UseGuards(EnterTenant)
  class Tenants {
    @OnLoopEvent('chat:now')
    now(): unknown {
      return tenant.getStore() ?? 'nobody';
    }

    @OnLoopEvent('chat:later')
    async later(): Promise<unknown> {
      await Promise.resolve();
      return tenant.getStore() ?? 'nobody';
    }
  }

  it.each(['chat:now', 'chat:later'])(
    'is there for its own %s, and for no other frame of the connection',
    async (event) => {
      const { client } = await startLoopApp({
        providers: [Tenants],
        options: { config: { handlersInFlight: 4 } },
      });
      const one = await client();
      const together = ['acme', null, 'other', null].map((name) => one.request(event, name));
      const names = (await Promise.all(together)).map((frame) => (frame as { data: unknown }).data);
      expect(names).toEqual(['acme', 'nobody', 'other', 'nobody']);
      expect(await one.request(event, null)).toMatchObject({ data: 'nobody' });
    },
  );
});
