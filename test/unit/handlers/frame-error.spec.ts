import { HttpException } from '@nestjs/common';
import { toFrameError } from '../../../lib/handlers/frame-error.js';
import { LoopWsException } from '../../../lib/loop-ws.errors.js';

function hostile(): never {
  throw new Error('hostile');
}

describe('toFrameError', () => {
  it('tells an HttpException without a response by its status', () => {
    expect(toFrameError(new HttpException(null as never, 403))).toMatchObject({
      code: 'forbidden',
    });
  });

  it.each([
    ['an object without prototype', Object.create(null)],
    ['a symbol', Symbol('odd')],
    ['a proxy that cannot be asked', new Proxy({}, { getPrototypeOf: hostile })],
    [
      'an HttpException without a readable status',
      Object.assign(new HttpException('x', 403), { getStatus: hostile }),
    ],
    [
      'a LoopWsException without readable details',
      Object.defineProperty(new LoopWsException('own', 'x'), 'details', { get: hostile }),
    ],
  ])('tells %s as internal', (_what, thrown) => {
    expect(toFrameError(thrown)).toMatchObject({
      code: 'internal',
      reference: expect.any(String),
    });
  });
});
