import {
  type CallHandler,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type Type,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import { concat, EMPTY, finalize, NEVER, type Observable, of, throwError, toArray } from 'rxjs';
import { EventDispatcher } from '../../lib/handlers/event.dispatcher.js';
import { ConnectionRegistry, OnLoopEvent } from '../../lib/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);

class PassOn implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

class Gather implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(toArray());
  }
}

class OutOfStock extends Error {}

@Catch(OutOfStock)
class Apologise implements ExceptionFilter {
  catch(error: OutOfStock): string {
    return `sorry: ${error.message}`;
  }
}

describe('an observable that a handler returns', () => {
  @Injectable()
  class Streams {
    @OnLoopEvent('chat:last')
    last(): Observable<number> {
      return of(1, 2, 3);
    }

    @OnLoopEvent('chat:promised')
    async promised(): Promise<Observable<number>> {
      return of(1, 2, 3);
    }

    @OnLoopEvent('chat:empty')
    empty(): Observable<never> {
      return EMPTY;
    }

    @UseInterceptors(PassOn)
    @OnLoopEvent('chat:empty.intercepted')
    emptyIntercepted(): Observable<never> {
      return EMPTY;
    }

    @UseInterceptors(Gather)
    @OnLoopEvent('chat:gathered')
    gathered(): Observable<number> {
      return of(1, 2, 3);
    }

    @UseFilters(Apologise)
    @OnLoopEvent('chat:failing')
    failing(): Observable<number> {
      return concat(
        of(1),
        throwError(() => new OutOfStock('no more')),
      );
    }
  }

  it.each([
    ['chat:last', { data: 3 }],
    ['chat:promised', { data: 3 }],
    ['chat:empty', {}],
    ['chat:empty.intercepted', {}],
    ['chat:gathered', { data: [1, 2, 3] }],
    ['chat:failing', { data: 'sorry: no more' }],
  ])('%s is answered with what it comes to', async (event, data) => {
    const { client } = await startLoopApp({ providers: [Streams] });
    expect(await (await client()).request(event)).toEqual({ op: 'reply', id: 1, ...data });
  });
});

describe('a dispatch that is given up', () => {
  const log: string[] = [];
  beforeEach(() => {
    log.length = 0;
  });

  function watched(name: string): Observable<never> {
    log.push(`${name} begins`);
    return NEVER.pipe(finalize(() => log.push(`${name} ends`)));
  }

  async function dispatching(handlers: Type) {
    const { client, get } = await startLoopApp({ providers: [handlers] });
    await client('acme', { connectionId: 'phone' });
    const connection = get(ConnectionRegistry).get('acme', 'phone')!;
    const aborting = new AbortController();
    const dispatch = async (name: string): Promise<unknown> =>
      get(EventDispatcher).dispatch(connection, name, undefined, aborting);
    return { dispatch, abort: () => aborting.abort() };
  }

  @Injectable()
  class Endless {
    @OnLoopEvent('chat:plain')
    plain(): Observable<never> {
      return watched('plain');
    }

    @UseInterceptors(PassOn)
    @OnLoopEvent('chat:intercepted')
    intercepted(): Observable<never> {
      return watched('intercepted');
    }
  }

  it.each(['plain', 'intercepted'])(
    'ends the subscription to what a handler returned, %s',
    async (name) => {
      const { dispatch, abort } = await dispatching(Endless);
      const dispatched = dispatch(`chat:${name}`);
      await eventually('the handler ran', () => log.length === 1);
      abort();
      expect(await dispatched).toBeUndefined();
      expect(log).toEqual([`${name} begins`, `${name} ends`]);
    },
  );

  it('does not begin a subscription that is late', async () => {
    const gate = deferred();
    @Injectable()
    class Late {
      @OnLoopEvent('chat:late')
      async late(): Promise<Observable<never>> {
        await gate.promise;
        return NEVER.pipe(finalize(() => log.push('unsubscribed')));
      }
    }
    const { dispatch, abort } = await dispatching(Late);
    const dispatched = dispatch('chat:late');
    abort();
    gate.resolve();
    expect(await dispatched).toBeUndefined();
    expect(log).toEqual([]);
  });
});

describe('an observable without an end', () => {
  const ends: string[] = [];

  @Injectable()
  class Endless {
    @OnLoopEvent('chat:endless')
    endless(): Observable<never> {
      ends.length = 0;
      return NEVER.pipe(finalize(() => ends.push('ended')));
    }
  }

  it('is left when its connection closes', async () => {
    const { client } = await startLoopApp({ providers: [Endless] });
    const one = await client();
    one.send({ event: 'chat:endless' });
    await one.ask({ op: 'ping' });
    await one.close();
    await eventually('the subscription ended', () => ends.length === 1);
    expect(ends).toEqual(['ended']);
  });

  it('is left when its time is up', async () => {
    const { client } = await startLoopApp({
      providers: [Endless],
      options: { config: { handlerTimeoutMs: 30 } },
    });
    expect(await (await client()).request('chat:endless')).toMatchObject({ code: 'timeout' });
    expect(ends).toEqual(['ended']);
  });
});
