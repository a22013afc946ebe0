import { defer, from, fromEvent, isObservable, lastValueFrom, of, takeUntil } from 'rxjs';
import type { NowOrLater } from '../util/now-or-later.js';

/** Signals that nobody waits any more. Its signal is read only when there is something to end. */
export interface GivenUp {
  readonly signal: AbortSignal;
}

/**
 * The result itself; for an observable, its last value, or `undefined` if it has none. The subscription ends on
 * `givenUp`, because an endless observable would outlive everyone who waits for it.
 */
export function lastValue(result: unknown, givenUp?: GivenUp): NowOrLater<unknown> {
  if (!isObservable(result)) return result;
  const values = from(result);
  return lastValueFrom(
    givenUp === undefined ? values : values.pipe(takeUntil(abortOf(givenUp.signal))),
    { defaultValue: undefined },
  );
}

/** An aborted signal emits no event any more, but must count as well. */
function abortOf(signal: AbortSignal) {
  return defer(() => (signal.aborted ? of(true) : fromEvent(signal, 'abort')));
}
