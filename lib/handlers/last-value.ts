import { defer, from, fromEvent, isObservable, lastValueFrom, of, takeUntil } from 'rxjs';
import type { NowOrLater } from '../util/now-or-later.js';

/** Says that nobody waits any more. Its signal is asked for only when there is something to end. */
export interface GivenUp {
  readonly signal: AbortSignal;
}

/**
 * What a result comes to: of an observable the last value, `undefined` when it has none. The subscription ends when it is
 * given up, because an endless observable would outlive everyone who waits for it.
 */
export function lastValue(result: unknown, givenUp?: GivenUp): NowOrLater<unknown> {
  if (!isObservable(result)) return result;
  const values = from(result);
  return lastValueFrom(
    givenUp === undefined ? values : values.pipe(takeUntil(abortOf(givenUp.signal))),
    { defaultValue: undefined },
  );
}

/** An abort that is past counts, though it announces itself no more. */
function abortOf(signal: AbortSignal) {
  return defer(() => (signal.aborted ? of(true) : fromEvent(signal, 'abort')));
}
