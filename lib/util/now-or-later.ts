/** A value that is there, or will be: what a function returns that is asynchronous only when it has to be. */
export type NowOrLater<T> = T | PromiseLike<T>;

/** What `await` would wait for. */
export function isLater(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * What `then` makes of the value: at once when the value is there, so that a chain in which nothing waits costs no
 * promise. Throws, or rejects, what `then` throws.
 */
export function andThen<T, R>(
  value: NowOrLater<T>,
  then: (value: T) => NowOrLater<R>,
): NowOrLater<R> {
  return isLater(value) ? Promise.resolve(value).then(then) : then(value);
}

/** What `then` makes of what `work` comes to, or `recover` of the failure of either. */
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
