import {
  Observable,
  type Observer,
  type Operator,
  Subscriber,
  type Subscription,
  type TeardownLogic,
} from 'rxjs';
import { isLater } from './now-or-later.js';

type Consumer<T> = Partial<Observer<T>> | ((value: T) => void) | null;
type Report = (error: unknown) => void;

/**
 * An observable whose observers cannot end the process: rxjs turns an error thrown by an observer into an uncaught
 * exception. Here, a callback that throws, or an async one that rejects, is reported and stays subscribed; an error
 * that no observer handles is reported as well. Observables derived with `pipe` are guarded the same way.
 *
 * Not guarded: callbacks given to an observable made by something else, such as `merge(a, guarded)` or a `Subject` that
 * was subscribed to this one. rxjs handles their errors.
 */
export class GuardedObservable<T> extends Observable<T> {
  constructor(
    private readonly report: Report,
    subscribe?: (subscriber: Subscriber<T>) => TeardownLogic,
  ) {
    super(subscribe);
  }

  /** Every operator of rxjs 7 creates its result with this method. */
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = new GuardedObservable<R>(this.report);
    lifted.source = this;
    lifted.operator = operator;
    return lifted;
  }

  override subscribe(
    consumer?: Consumer<T>,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (isSubscriber(consumer)) return super.subscribe(consumer);
    const observer =
      typeof consumer === 'object' && consumer !== null
        ? consumer
        : { next: consumer, error, complete };
    return super.subscribe({
      next: (value) => this.guard(() => observer.next?.(value)),
      error: (reason: unknown) =>
        observer.error ? this.guard(() => observer.error?.(reason)) : this.report(reason),
      complete: () => this.guard(() => observer.complete?.()),
    });
  }

  private guard(call: () => unknown): void {
    try {
      const result = call();
      if (isLater(result)) result.then(undefined, this.report);
    } catch (error) {
      this.report(error);
    }
  }
}

/** Whether this is an operator's own subscriber, whose errors rxjs catches. It may come from another copy of rxjs. */
function isSubscriber<T>(consumer: Consumer<T> | undefined): consumer is Subscriber<T> {
  return (
    consumer instanceof Subscriber ||
    (typeof consumer === 'object' && consumer !== null && 'add' in consumer && 'closed' in consumer)
  );
}
