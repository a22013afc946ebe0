import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  ParseIntPipe,
  type PipeTransform,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { MessageBody } from '@nestjs/websockets';
import { jest } from '@jest/globals';
import { map, type Observable } from 'rxjs';
import { isLoopContext, LoopConnection, LoopWsException, OnLoopEvent } from '../../lib/index.js';
import { closeLoopApps, type LoopAppParts, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

describe('guards, interceptors, pipes and filters', () => {
  @Injectable()
  class OnlyAcme implements CanActivate {
    canActivate(context: ExecutionContext): boolean {
      const connection = context.switchToWs().getClient<LoopConnection>();
      return context.getType() === 'ws' && connection.accountId === 'acme';
    }
  }

  @Injectable()
  class Wrap implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      return next.handle().pipe(map((value) => ({ wrapped: value })));
    }
  }

  class Upper implements PipeTransform {
    transform(value: unknown): unknown {
      return typeof value === 'string' ? value.toUpperCase() : value;
    }
  }

  class OutOfStock extends Error {}

  @Catch(OutOfStock)
  class OutOfStockFilter implements ExceptionFilter {
    catch(error: OutOfStock, host: ArgumentsHost): unknown {
      return { sorry: error.message, for: host.switchToWs().getPattern() };
    }
  }

  @Injectable()
  class Shop {
    @UseGuards(OnlyAcme)
    @OnLoopEvent('chat:guarded')
    guarded(): string {
      return 'in';
    }

    @UseInterceptors(Wrap)
    @OnLoopEvent('chat:wrapped')
    wrapped(): string {
      return 'inside';
    }

    @UsePipes(Upper)
    @OnLoopEvent('chat:piped')
    piped(text: string): string {
      return text;
    }

    @OnLoopEvent('chat:number')
    number(@MessageBody('n', ParseIntPipe) n: number): number {
      return n + 1;
    }

    @UseFilters(OutOfStockFilter)
    @OnLoopEvent('chat:filtered')
    filtered(): never {
      throw new OutOfStock('no more');
    }
  }

  function globally(provide: string, useClass: Type): LoopAppParts {
    return { providers: [{ provide, useClass }] };
  }

  it('run around a handler as around any Nest WebSocket handler', async () => {
    const { client } = await startLoopApp({ providers: [Shop, OnlyAcme, Wrap] });
    const acme = await client('acme');
    const other = await client('other');
    expect(await acme.request('chat:guarded')).toMatchObject({ data: 'in' });
    expect(await other.request('chat:guarded')).toMatchObject({
      op: 'error',
      id: 1,
      code: 'forbidden',
    });
    expect(await acme.request('chat:wrapped')).toMatchObject({ data: { wrapped: 'inside' } });
    expect(await acme.request('chat:piped', 'loud')).toMatchObject({ data: 'LOUD' });
    expect(await acme.request('chat:number', { n: '41' })).toMatchObject({ data: 42 });
    expect(await acme.request('chat:number', { n: 'x' })).toMatchObject({
      code: 'invalid_payload',
    });
    expect(await acme.request('chat:filtered')).toMatchObject({
      op: 'reply',
      data: { sorry: 'no more', for: 'chat:filtered' },
    });
  });

  it('guard handlers on controllers as well', async () => {
    @Controller()
    class Guarded {
      @UseGuards(OnlyAcme)
      @OnLoopEvent('chat:controlled')
      handle(): string {
        return 'in';
      }
    }
    const { client } = await startLoopApp({ controllers: [Guarded] });
    expect(await (await client('acme')).request('chat:controlled')).toMatchObject({ data: 'in' });
    expect(await (await client('other')).request('chat:controlled')).toMatchObject({
      code: 'forbidden',
    });
  });

  it('global guards and interceptors meet a context that says it is ours', async () => {
    const contexts: [string, boolean][] = [];
    @Injectable()
    class Watch implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        contexts.push([context.getType(), isLoopContext(context)]);
        return true;
      }
    }
    const { client } = await startLoopApp({
      providers: [
        Shop,
        OnlyAcme,
        Wrap,
        { provide: APP_GUARD, useClass: Watch },
        { provide: APP_INTERCEPTOR, useClass: Wrap },
      ],
    });
    expect(await (await client()).request('chat:piped', 'x')).toMatchObject({
      data: { wrapped: 'X' },
    });
    expect(contexts).toEqual([['ws', true]]);
  });

  it.each<[string, LoopAppParts, object]>([
    ['APP_GUARD', globally(APP_GUARD, OnlyAcme), { op: 'error', code: 'forbidden' }],
    [
      'app.useGlobalGuards',
      { prepare: (app) => app.useGlobalGuards(new OnlyAcme()) },
      { op: 'error', code: 'forbidden' },
    ],
    ['APP_INTERCEPTOR', globally(APP_INTERCEPTOR, Wrap), { data: { wrapped: 'loud' } }],
    [
      'app.useGlobalInterceptors',
      { prepare: (app) => app.useGlobalInterceptors(new Wrap()) },
      { data: { wrapped: 'loud' } },
    ],
    ['APP_PIPE', globally(APP_PIPE, Upper), { data: 'LOUD' }],
    ['app.useGlobalPipes', { prepare: (app) => app.useGlobalPipes(new Upper()) }, { data: 'LOUD' }],
  ])('what is registered with %s is around every handler', async (_how, parts, answer) => {
    @Injectable()
    class Echo {
      @OnLoopEvent('chat:echo')
      echo(text: string): string {
        return text;
      }
    }
    const { client } = await startLoopApp({
      ...parts,
      providers: [Echo, ...(parts.providers ?? [])],
    });
    expect(await (await client('other')).request('chat:echo', 'loud')).toMatchObject(answer);
  });

  it('a global HTTP exception filter does not swallow the real error', async () => {
    @Catch()
    class HttpFilter implements ExceptionFilter {
      catch(_error: unknown, host: ArgumentsHost): void {
        host.switchToHttp().getResponse<{ status(code: number): void }>().status(500);
      }
    }
    @Injectable()
    class Failing {
      @OnLoopEvent('chat:fails')
      fails(): never {
        throw new LoopWsException('room_full', 'Full.', { limit: 50 });
      }
    }
    const { client } = await startLoopApp({
      providers: [Failing, { provide: APP_FILTER, useClass: HttpFilter }],
    });
    expect(await (await client()).request('chat:fails')).toEqual({
      op: 'error',
      id: 1,
      code: 'room_full',
      message: 'Full.',
      details: { limit: 50 },
    });
  });
});
