import { andThen, isLater, settle } from '../../../lib/util/now-or-later.js';

const failure = new Error('failed');
const fail = (): never => {
  throw failure;
};
/** Not a promise, but what `await` waits for. */
const thenable = (value: number): PromiseLike<number> =>
  // oxlint-disable-next-line unicorn/no-thenable
  ({ then: (done: (value: number) => void) => done(value) }) as unknown as PromiseLike<number>;

describe('what is there now', () => {
  it('goes on within the call', () => {
    expect(andThen(1, (value) => value + 1)).toBe(2);
    expect(
      settle(
        () => 1,
        (value) => value + 1,
        fail,
      ),
    ).toBe(2);
    expect(
      settle<number, unknown>(
        () => 1,
        fail,
        (error) => error,
      ),
    ).toBe(failure);
    expect(
      settle<number, unknown>(
        fail,
        () => 1,
        (error) => error,
      ),
    ).toBe(failure);
    expect(() => andThen(1, fail)).toThrow(failure);
  });

  it.each([[undefined], [null], [1], ['then'], [{ then: 1 }], [() => {}], [[]]])(
    'is %p',
    (value) => {
      expect(isLater(value)).toBe(false);
    },
  );
});

describe('what comes later', () => {
  it('is waited for', async () => {
    expect(await andThen(Promise.resolve(1), (value) => value + 1)).toBe(2);
    expect(await andThen(thenable(1), async (value) => value + 1)).toBe(2);
    expect(
      await settle(
        () => thenable(1),
        (value) => thenable(value + 1),
        fail,
      ),
    ).toBe(2);
  });

  it('rejects, and is recovered from', async () => {
    await expect(andThen(Promise.reject(failure), () => 1)).rejects.toBe(failure);
    await expect(andThen(Promise.resolve(1), fail)).rejects.toBe(failure);
    const error = (reason: unknown): unknown => reason;
    const rejection = async (): Promise<never> => fail();
    expect(await settle(rejection, () => 1, error)).toBe(failure);
    expect(await settle(() => 1, rejection, error)).toBe(failure);
    expect(await settle(async () => 1, fail, error)).toBe(failure);
    expect(
      await settle(
        async () => 1,
        rejection,
        async (reason) => reason,
      ),
    ).toBe(failure);
    await expect(settle(rejection, () => 1, fail)).rejects.toBe(failure);
  });
});
