import {
  type CanActivate,
  Controller,
  Get,
  Inject,
  Injectable,
  Logger,
  Scope,
  UseGuards,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { jest } from '@jest/globals';
import { from, type Observable } from 'rxjs';
import { EventBus, LoopConnection, OnLoopEvent } from '../../lib/index.js';
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
    expect(started.filter((one) => one.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(a.frames.filter(({ op }) => op === 'reply')).toMatchObject([
      { data: 1 },
      { data: 2 },
      { data: 3 },
    ]);
  });

  it('P6: at most handlersInFlight run at once', async () => {
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
