import { stackOf } from '../../../lib/util/stack-of.js';

function hostile(): never {
  throw new Error('hostile');
}

describe('stackOf', () => {
  it('is the stack of an error, and its message when it has none', () => {
    const error = new Error('broken');
    expect(stackOf(error)).toBe(error.stack);
    delete error.stack;
    expect(stackOf(error)).toBe('broken');
  });

  it.each([
    ['a text', 'plain', 'plain'],
    ['nothing', undefined, 'undefined'],
    ['a symbol', Symbol('odd'), 'Symbol(odd)'],
    ['an object', { code: 7 }, '{ code: 7 }'],
    ['an object without prototype', Object.create(null), '[Object: null prototype] {}'],
    ['an object that cannot be made a text', { toString: hostile, toJSON: hostile }, 'toString'],
  ])('shows %s', (_what, thrown, shown) => {
    expect(stackOf(thrown)).toContain(shown);
  });

  it.each([
    ['a getter for its stack', Object.defineProperty(new Error('x'), 'stack', { get: hostile })],
    ['a stack that is no text', Object.assign(new Error('x'), { stack: 5 })],
    ['an inspection of its own', { [Symbol.for('nodejs.util.inspect.custom')]: hostile }],
    ['no prototype to ask for', new Proxy({}, { getPrototypeOf: hostile })],
  ])('is some text for a thing with %s', (_what, thrown) => {
    expect(typeof stackOf(thrown)).toBe('string');
  });
});
