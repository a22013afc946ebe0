import { AsyncLocalStorage } from 'node:async_hooks';
import type { CanActivate, ExecutionContext, NestInterceptor, PipeTransform } from '@nestjs/common';
import { map, of } from 'rxjs';
import { enhancedCall } from '../../../lib/handlers/enhanced-call.js';
import type { Enhancers, MarkedParameter } from '../../../lib/handlers/enhancers.js';
import type { HandlerArgs } from '../../../lib/handlers/handler-params.js';

const ARGS = ['connection', 'payload', 'chat:said'] as unknown as HandlerArgs;

/** Names what ran, in order. */
let log: string[];
beforeEach(() => {
  log = [];
});

class Handlers {
  say(...args: unknown[]): unknown {
    log.push('handler');
    return args;
  }
}

function call(enhancers: Partial<Enhancers>): unknown {
  const instance = new Handlers();
  const none = { guards: [], interceptors: [], pipes: [], parameters: [] };
  return enhancedCall(instance, instance.say, { ...none, ...enhancers })(ARGS);
}

const guard = (name: string, answer: unknown): CanActivate => ({
  canActivate: () => {
    log.push(name);
    return answer as boolean;
  },
});

const pipe = (name: string, transform: (value: unknown) => unknown): PipeTransform => ({
  transform: (value) => {
    log.push(name);
    return transform(value);
  },
});

const parameter = (index: number, value: unknown, ...pipes: PipeTransform[]): MarkedParameter => ({
  index,
  type: 3,
  pipes,
  extractValue: () => value,
});

describe('enhancedCall', () => {
  it('is through within the call when nothing in it is asynchronous', () => {
    const result = call({
      guards: [guard('first', true), guard('second', true)],
      pipes: [pipe('outer', (value) => `${String(value)}+`)],
      parameters: [
        parameter(
          1,
          'one',
          pipe('own', (value) => `${String(value)}!`),
        ),
      ],
    });
    expect(result).toEqual([undefined, 'one+!']);
    expect(log).toEqual(['first', 'second', 'outer', 'own', 'handler']);
  });

  it('gives a handler without marked parameters everything', () => {
    expect(call({})).toEqual([...ARGS]);
  });

  it.each([
    ['plain', true],
    ['promised', Promise.resolve(true)],
    ['observed', of(true)],
    ['promised and observed', Promise.resolve(of(true))],
    ['merely truthy', 1],
  ])('goes on behind a guard whose consent is %s', async (_how, answer) => {
    const guards = [guard('first', answer), guard('second', true)];
    expect(await call({ guards })).toEqual([...ARGS]);
    expect(log).toEqual(['first', 'second', 'handler']);
  });

  it.each([
    ['plain', false],
    ['promised', Promise.resolve(false)],
    ['observed', of(false)],
    ['nothing', undefined],
  ])('asks nobody behind a guard whose refusal is %s', async (_how, answer) => {
    const guards = [guard('first', answer), guard('second', true)];
    await expect(async () => call({ guards })).rejects.toMatchObject({ status: 403 });
    expect(log).toEqual(['first']);
  });

  it('lets a guard change what comes behind it, and not what others were given', () => {
    const guards: CanActivate[] = [
      {
        canActivate: (context: ExecutionContext) => {
          context.getArgs()[1] = 'changed';
          return context.getType() === 'ws' && context.getHandler().name === 'say';
        },
      },
    ];
    expect(call({ guards })).toEqual(['connection', 'changed', 'chat:said']);
    expect(ARGS[1]).toBe('payload');
  });

  it('waits for a value and for a pipe, and for each pipe before the next', async () => {
    const result = call({
      parameters: [
        parameter(
          0,
          Promise.resolve(1),
          pipe('a', async (value) => Number(value) + 1),
        ),
        parameter(
          1,
          10,
          pipe('b', (value) => value),
          pipe('c', (value) => Number(value) + 1),
        ),
        parameter(2, Promise.resolve(20)),
      ],
      pipes: [pipe('outer', async (value) => Number(value) * 2)],
    });
    expect(await result).toEqual([3, 21, 40]);
  });

  it('leaves no rejection alone when one parameter fails now and another later', async () => {
    const alone: unknown[] = [];
    const keep = (reason: unknown): void => void alone.push(reason);
    process.on('unhandledRejection', keep);
    const fail = (when: string) => () => {
      throw new Error(when);
    };
    const late = async () => fail('later')();
    await expect(
      (async () =>
        call({
          parameters: [parameter(0, 1, pipe('a', late)), parameter(1, 2, pipe('b', fail('now')))],
        }))(),
    ).rejects.toThrow('now');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', keep);
    expect(alone).toEqual([]);
    expect(log).toEqual(['a', 'b']);
  });

  it('runs interceptors around pipes and handler, in their own scope', async () => {
    const scope = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const interceptor: NestInterceptor = {
      intercept: (_context, next) => {
        log.push('interceptor');
        return scope.run('mine', () => next.handle()).pipe(map((value) => ({ value })));
      },
    };
    const result = await (call({
      guards: [guard('guard', true)],
      interceptors: [interceptor],
      parameters: [
        parameter(
          0,
          1,
          pipe('pipe', (value) => (seen.push(scope.getStore()), value)),
        ),
      ],
    }) as Promise<ReturnType<typeof of>>);
    const values: unknown[] = [];
    result.subscribe((value) => values.push(value));
    await new Promise((resolve) => setImmediate(resolve));
    expect(values).toEqual([{ value: [1] }]);
    expect(log).toEqual(['guard', 'interceptor', 'pipe', 'handler']);
    expect(seen).toEqual(['mine']);
  });
});
