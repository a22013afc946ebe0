import { defer, from, fromEvent, isObservable, lastValueFrom, of, takeUntil } from 'rxjs';

/**
 * What a result comes to: of an observable the last value, `undefined` when it has none. The subscription ends when
 * `signal` aborts, because an endless observable would outlive everyone who waits for it.
 */
export async function lastValue(result: unknown, signal?: AbortSignal): Promise<unknown> {
  if (!isObservable(result)) return result;
  const values = from(result);
  return lastValueFrom(signal === undefined ? values : values.pipe(takeUntil(abortOf(signal))), {
    defaultValue: undefined,
  });
}

/** An abort that is past counts, though it announces itself no more. */
function abortOf(signal: AbortSignal) {
  return defer(() => (signal.aborted ? of(true) : fromEvent(signal, 'abort')));
}
