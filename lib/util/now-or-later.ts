/** A value, or a promise of it: what a function returns that is asynchronous only when it has to be. */
export type NowOrLater<T> = T | PromiseLike<T>;

/** Whether the value is a thenable, which `await` would wait for. */
export function isLater(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * Returns the result of `then`, which is called at once when the value is already there, so that a chain in which
 * nothing waits costs no promise. Throws, or rejects with, what `then` throws.
 */
export function andThen<T, R>(
  value: NowOrLater<T>,
  then: (value: T) => NowOrLater<R>,
): NowOrLater<R> {
  return isLater(value) ? Promise.resolve(value).then(then) : then(value);
}

/** Returns what `then` makes of the result of `work`, or what `recover` makes of the failure of either. */
export function settle<T, R>(
  work: () => NowOrLater<T>,
  then: (value: T) => NowOrLater<R>,
  recover: (error: unknown) => NowOrLater<R>,
): NowOrLater<R> {
  const goOn = (value: T): NowOrLater<R> => {
    try {
      const result = then(value);
      return isLater(result) ? Promise.resolve(result).then(undefined, recover) : result;
    } catch (error) {
      return recover(error);
    }
  };
  let value: NowOrLater<T>;
  try {
    value = work();
  } catch (error) {
    return recover(error);
  }
  return isLater(value) ? Promise.resolve(value).then(goOn, recover) : goOn(value);
}
