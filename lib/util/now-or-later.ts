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

/** What `work` comes to, or what `recover` makes of its failure, now or later. */
export function orElse<T>(
  work: () => NowOrLater<T>,
  recover: (error: unknown) => NowOrLater<T>,
): NowOrLater<T> {
  try {
    const result = work();
    return isLater(result) ? Promise.resolve(result).then(undefined, recover) : result;
  } catch (error) {
    return recover(error);
  }
}
