import {
  type ArgumentsHost,
  BadRequestException,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
  ParseIntPipe,
  type PipeTransform,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, REQUEST } from '@nestjs/core';
import { ConnectedSocket, MessageBody, WsException } from '@nestjs/websockets';
import { jest } from '@jest/globals';
import { from, map, type Observable } from 'rxjs';
import { z } from 'zod';
import {
  EventBus,
  isLoopContext,
  LoopConnection,
  LoopWsException,
  OnLoopEvent,
} from '../../lib/index.js';
import { deferred } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

describe('parameters and replies', () => {
  @Injectable()
  class Chat {
    @OnLoopEvent('chat:plain')
    plain(body: { text: string }, connection: LoopConnection): unknown {
      return { text: body.text, from: connection.accountId };
    }

    @OnLoopEvent('chat:decorated')
    decorated(@MessageBody('text') text: string, @ConnectedSocket() c: LoopConnection): unknown {
      return { text, from: c.accountId };
    }

    @OnLoopEvent('chat:one')
    @OnLoopEvent('chat:two')
    stacked(): string {
      return 'stacked';
    }

    @OnLoopEvent('chat:observable')
    observable(): Observable<number> {
      return from([1, 2, 3]);
    }

    @OnLoopEvent('chat:nothing')
    nothing(): void {}

    @OnLoopEvent('chat:unwritable')
    unwritable(): unknown {
      return 1n;
    }
  }

  it('passes payload and connection, with and without parameter decorators', async () => {
    const { client } = await startLoopApp({ providers: [Chat] });
    const one = await client();
    const reply = { op: 'reply', id: 1, data: { text: 'hi', from: 'acme' } };
    expect(await one.request('chat:plain', { text: 'hi' })).toEqual(reply);
    expect(await one.request('chat:decorated', { text: 'hi' })).toEqual({ ...reply, id: 2 });
  });

  it('binds stacked decorators, reduces observables to their last value, replies without data for nothing', async () => {
    const { client } = await startLoopApp({ providers: [Chat] });
    const one = await client();
    expect(await one.request('chat:one')).toMatchObject({ data: 'stacked' });
    expect(await one.request('chat:two')).toMatchObject({ data: 'stacked' });
    expect(await one.request('chat:observable')).toMatchObject({ data: 3 });
    expect(await one.request('chat:nothing')).toEqual({ op: 'reply', id: 4 });
  });

  it('sends no reply to a frame without id, and reports an error all the same', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const { client } = await startLoopApp({ providers: [Chat] });
    const one = await client();
    one.send({ event: 'chat:plain', data: { text: 'quiet' } });
    one.send({ event: 'chat:plain' });
    expect(await one.nextFrame('an error', ({ op }) => op === 'error')).toMatchObject({
      code: 'internal',
    });
    expect(one.frames.some(({ op }) => op === 'reply')).toBe(false);
  });

  it('answers with an error when the reply is not JSON', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const { client } = await startLoopApp({ providers: [Chat] });
    const one = await client();
    expect(await one.request('chat:unwritable')).toMatchObject({ op: 'error', code: 'internal' });
  });

  it('finds handlers on controllers too', async () => {
    @Controller()
    class Both {
      @Get('/plain')
      plain(): string {
        return 'http';
      }

      @OnLoopEvent('chat:controller')
      handle(): string {
        return 'ws';
      }
    }
    const { client, port } = await startLoopApp({ controllers: [Both] });
    expect(await (await client()).request('chat:controller')).toMatchObject({ data: 'ws' });
    expect(await (await fetch(`http://127.0.0.1:${port}/plain`)).text()).toBe('http');
  });
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

describe('errors of a handler', () => {
  @Injectable()
  class Failing {
    @OnLoopEvent('chat:http')
    http(): never {
      throw new ForbiddenException('Not yours.');
    }

    @OnLoopEvent('chat:invalid')
    invalid(): never {
      throw new BadRequestException(['text must be a string']);
    }

    @OnLoopEvent('chat:ws')
    ws(): never {
      throw new WsException('Too late.');
    }

    @OnLoopEvent('chat:unknown')
    async unknown(): Promise<never> {
      throw new Error('password=hunter2');
    }

    @OnLoopEvent('chat:hangs')
    hangs(): Promise<never> {
      return new Promise(() => {});
    }

    @OnLoopEvent('chat:fine')
    fine(): string {
      return 'fine';
    }
  }

  it.each([
    ['chat:http', { code: 'forbidden', message: 'Not yours.' }],
    ['chat:invalid', { code: 'invalid_payload', details: ['text must be a string'] }],
    ['chat:ws', { code: 'rejected', message: 'Too late.' }],
  ])('%s becomes one error frame with the id of its frame', async (event, error) => {
    const { client } = await startLoopApp({ providers: [Failing] });
    const one = await client();
    expect(await one.request(event)).toMatchObject({ op: 'error', id: 1, ...error });
    expect(await one.request('chat:fine')).toMatchObject({ data: 'fine' });
  });

  it('an unknown error tells the client a reference, and the log the reason under it', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const { client } = await startLoopApp({ providers: [Failing] });
    const frame = (await (await client()).request('chat:unknown')) as {
      code: string;
      message: string;
    };
    expect(frame.code).toBe('internal');
    expect(frame.message).not.toContain('hunter2');
    const reference = /[0-9a-f-]{36}/.exec(frame.message)![0];
    const [line, stack] = log.mock.calls[0]! as [string, string];
    expect(line).toContain(reference);
    expect(stack).toContain('password=hunter2');
  });

  it('a handler that never settles is answered with timeout, and the next frame is handled', async () => {
    const { client } = await startLoopApp({
      providers: [Failing],
      options: { config: { handlerTimeoutMs: 30 } },
    });
    const one = await client();
    const [hanging, fine] = await Promise.all([
      one.request('chat:hangs'),
      one.request('chat:fine'),
    ]);
    expect(hanging).toMatchObject({ op: 'error', code: 'timeout' });
    expect(fine).toMatchObject({ data: 'fine' });
  });
});

describe('schemas', () => {
  const events = {
    'chat:message.send': z.object({ text: z.string().trim().min(1), at: z.coerce.date() }),
  };

  @Injectable()
  class Chat {
    @OnLoopEvent('chat:message.send')
    send(body: { text: string; at: Date }): unknown {
      return [body.text, body.at instanceof Date];
    }
  }

  it('hand the handler what the schema made of the payload', async () => {
    const { client } = await startLoopApp({ providers: [Chat], options: { events } });
    const reply = await (
      await client()
    ).request('chat:message.send', { text: ' hi ', at: '2026-01-01' });
    expect(reply).toMatchObject({ data: ['hi', true] });
  });

  it('refuse a payload of another shape before the handler sees it', async () => {
    const { client } = await startLoopApp({ providers: [Chat], options: { events } });
    const frame = await (await client()).request('chat:message.send', { text: 5, at: 'x' });
    expect(frame).toMatchObject({ op: 'error', code: 'invalid_payload' });
    expect((frame as { details: { path: string[] }[] }).details.map(({ path }) => path)).toEqual([
      ['text'],
      ['at'],
    ]);
  });

  it('tell at most config.maxIssues complaints', async () => {
    const options = { events, config: { maxIssues: 1 } };
    const { client } = await startLoopApp({ providers: [Chat], options });
    const frame = await (await client()).request('chat:message.send', { text: 5, at: 'x' });
    expect(frame).toMatchObject({ code: 'invalid_payload', details: [{ path: ['text'] }] });
    expect((frame as { details: unknown[] }).details).toHaveLength(1);
  });
});

describe('request scope', () => {
  @Injectable({ scope: Scope.REQUEST })
  class Scoped {
    constructor(
      @Inject(REQUEST) private readonly request: { connection: LoopConnection; event: string },
    ) {}

    @OnLoopEvent('chat:scoped')
    handle(body: string): unknown {
      return [this.request.connection.accountId, this.request.event, body];
    }
  }

  it('gives each frame an instance that knows its connection', async () => {
    const { client } = await startLoopApp({ providers: [Scoped] });
    const [a, b] = [await client('a'), await client('b')];
    expect(await a.request('chat:scoped', 1)).toMatchObject({ data: ['a', 'chat:scoped', 1] });
    expect(await b.request('chat:scoped', 2)).toMatchObject({ data: ['b', 'chat:scoped', 2] });
  });

  it('works on controllers and with guards that are scoped themselves', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class ScopedGuard implements CanActivate {
      constructor(@Inject(REQUEST) private readonly request: { connection: LoopConnection }) {}

      canActivate(): boolean {
        return this.request.connection.accountId === 'acme';
      }
    }
    @Controller()
    class Guarded {
      @UseGuards(ScopedGuard)
      @OnLoopEvent('chat:guarded')
      handle(): string {
        return 'in';
      }
    }
    const { client } = await startLoopApp({ controllers: [Guarded] });
    expect(await (await client('acme')).request('chat:guarded')).toMatchObject({ data: 'in' });
    expect(await (await client('other')).request('chat:guarded')).toMatchObject({
      code: 'forbidden',
    });
  });
});

describe('order', () => {
  it('P1: frames of one connection are handled one after another, and not behind those of another', async () => {
    const gate = deferred();
    const started: string[] = [];
    @Injectable()
    class Slow {
      @OnLoopEvent('chat:slow')
      async slow(n: number, { accountId }: LoopConnection): Promise<number> {
        started.push(`${accountId}${n}`);
        if (accountId === 'a' && n === 1) await gate.promise;
        return n;
      }
    }
    const { client } = await startLoopApp({ providers: [Slow] });
    const [a, b] = [await client('a'), await client('b')];
    const replies = [1, 2, 3].map((n) => a.request('chat:slow', n));
    expect(await b.request('chat:slow', 1)).toMatchObject({ data: 1 });
    await a.ask({ op: 'ping' });
    expect(started.filter((one) => one.startsWith('a'))).toEqual(['a1']);
    gate.resolve();
    await Promise.all(replies);
    expect(started).toEqual(expect.arrayContaining(['a1', 'a2', 'a3']));
    expect(a.frames.filter(({ op }) => op === 'reply')).toMatchObject([
      { data: 1 },
      { data: 2 },
      { data: 3 },
    ]);
  });

  it('P6: at most handlersInFlight run at once, and a flood stays in the peer until they are done', async () => {
    let running = 0;
    let most = 0;
    const gate = deferred();
    @Injectable()
    class Slow {
      @OnLoopEvent('chat:slow')
      async slow(): Promise<void> {
        most = Math.max(most, ++running);
        await gate.promise;
        running--;
      }
    }
    const { client } = await startLoopApp({
      providers: [Slow],
      options: { config: { handlersInFlight: 3, maxQueuedFrames: 4, frameBurst: 1_000 } },
    });
    const one = await client();
    const replies = Array.from({ length: 200 }, () => one.request('chat:slow'));
    await (await client('other')).ask({ op: 'ping' });
    gate.resolve();
    await Promise.all(replies);
    expect(most).toBe(3);
  });

  it('a handler may ask its own connection: the answer does not wait behind it', async () => {
    @Injectable()
    class Asking {
      constructor(private readonly bus: EventBus) {}

      @OnLoopEvent('device:check')
      async check(_body: unknown, { accountId, connectionId }: LoopConnection): Promise<unknown> {
        return this.bus.ask(accountId, connectionId, 'device:status', null, { timeoutMs: 2_000 });
      }
    }
    const { client } = await startLoopApp({ providers: [Asking] });
    const one = await client();
    const reply = one.request('device:check');
    const { ask } = (await one.nextFrame('a question', (frame) => 'ask' in frame)) as {
      ask: number;
    };
    one.send({ op: 'answer', ask, data: 'fine' });
    expect(await reply).toMatchObject({ data: 'fine' });
  });
});
