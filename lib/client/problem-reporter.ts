import { ClientErrorCode, LoopClientError, messageOf } from './client-errors.js';
import { Listeners } from './listeners.js';

/** The one place where problems go that no call of the application waits for. */
export class ProblemReporter {
  // A listener of problems that throws is not told of its own failure, or it would throw for ever.
  readonly #listeners = new Listeners<[LoopClientError]>((thrown) => console.error(thrown));

  /** Binds the methods: they are handed around as callbacks. */
  readonly report = (error: LoopClientError): void => {
    if (this.#listeners.size === 0) return console.error(error);
    this.#listeners.emit(error);
  };

  readonly handlerFailed = (thrown: unknown): void => {
    if (thrown instanceof LoopClientError) return this.report(thrown);
    this.report(
      new LoopClientError(
        ClientErrorCode.HandlerFailed,
        `A handler of the application failed: ${messageOf(thrown)}`,
        { cause: thrown },
      ),
    );
  };

  add(listener: (error: LoopClientError) => unknown): () => void {
    return this.#listeners.add(listener);
  }
}
