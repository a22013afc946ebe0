import {
  Catch,
  type ExceptionFilter,
  ForbiddenException,
  Injectable,
  Logger,
  UseFilters,
} from '@nestjs/common';
import { BaseWsExceptionFilter, WsException } from '@nestjs/websockets';
import { jest } from '@jest/globals';
import { EMPTY, of, throwError } from 'rxjs';
import { LoopWsException, OnLoopEvent } from '../../lib/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

/** What the client is answered when `filter` stands around a handler that throws `thrown`. */
async function answerOf(filter: ExceptionFilter, thrown: unknown): Promise<unknown> {
  @Injectable()
  @UseFilters(filter)
  class Failing {
    @OnLoopEvent('chat:fails')
    fails(): never {
      throw thrown;
    }
  }
  const { client } = await startLoopApp({ providers: [Failing] });
  return (await client()).request('chat:fails');
}

function filterThat(does: (error: unknown) => unknown): ExceptionFilter {
  @Catch()
  class Filter implements ExceptionFilter {
    catch(error: unknown): unknown {
      return does(error);
    }
  }
  return new Filter();
}

/** As one that does nothing but `super.catch(error, host)`. */
@Catch()
class Delegating extends BaseWsExceptionFilter {}

const FORBIDDEN = { op: 'error', id: 1, code: 'forbidden', message: 'Not yours.' };
const MAPPED = { op: 'error', id: 1, code: 'mapped', message: 'Mapped.' };

function mapped(): LoopWsException {
  return new LoopWsException('mapped', 'Mapped.');
}

describe('an exception filter', () => {
  it.each([
    ['nothing', () => {}],
    ['nothing later', async () => {}],
    ['an observable without a value', () => EMPTY],
  ])('that returns %s has looked on: the error is answered', async (_what, does) => {
    expect(await answerOf(filterThat(does), new ForbiddenException('Not yours.'))).toEqual(
      FORBIDDEN,
    );
  });

  it.each([
    ['a value', () => 'sorry'],
    ['a promise', async () => 'sorry'],
    ['an observable', () => of('so', 'sorry')],
  ])('that returns %s has made the reply', async (_what, does) => {
    expect(await answerOf(filterThat(does), new Error('any'))).toEqual({
      op: 'reply',
      id: 1,
      data: 'sorry',
    });
  });

  it.each([
    [
      'throws',
      () => {
        throw mapped();
      },
    ],
    ['rejects', () => Promise.reject(mapped())],
    ['returns a failing observable', () => throwError(mapped)],
  ])('that %s has replaced the error', async (_what, does) => {
    expect(await answerOf(filterThat(does), new ForbiddenException('Not yours.'))).toEqual(MAPPED);
  });

  it('that fails is logged, and the error that it was given is answered', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const broken = filterThat(() => {
      throw new TypeError('response.status is not a function');
    });
    expect(await answerOf(broken, new ForbiddenException('Not yours.'))).toEqual(FORBIDDEN);
    const lines = warn.mock.calls.map(([line]) => String(line));
    expect(lines).toEqual([expect.stringMatching(/filter of Failing\.fails.*is not a function/s)]);
  });

  it.each([
    ['forbidden', new ForbiddenException('Not yours.')],
    ['rejected', new WsException('Too late.')],
    ['mapped', mapped()],
  ])('that leaves it to BaseWsExceptionFilter does not hide %s', async (code, thrown) => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const { message } = thrown;
    expect(await answerOf(new Delegating(), thrown)).toEqual({ op: 'error', id: 1, code, message });
  });

  it('that leaves an unknown error to BaseWsExceptionFilter does not hide it from the log', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    expect(await answerOf(new Delegating(), new Error('database away'))).toMatchObject({
      op: 'error',
      id: 1,
      code: 'internal',
    });
    expect(log.mock.calls.flat().join('\n')).toContain('Error: database away');
  });
});
