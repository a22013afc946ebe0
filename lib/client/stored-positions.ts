import { ClientErrorCode, LoopClientError, messageOf } from './client-errors.js';
import type { LoopStorage, Positions } from './positions.js';

/** Keeps positions over the life of a page. A storage that fails is told of once; the client goes on without it. */
export class StoredPositions {
  readonly #storage: LoopStorage;
  readonly #key: string;
  readonly #problem: (error: LoopClientError) => void;
  #saving = false;
  #failed = false;

  constructor(storage: LoopStorage, key: string, problem: (error: LoopClientError) => void) {
    this.#storage = storage;
    this.#key = key;
    this.#problem = problem;
  }

  load(positions: Positions): void {
    this.#safely(() => {
      const text = this.#storage.getItem(this.#key);
      if (text !== null) positions.restore(text);
    });
  }

  /** Once for all changes of a turn, and after the handlers of what changed them. */
  save(positions: Positions): void {
    if (this.#saving || this.#failed) return;
    this.#saving = true;
    setTimeout(() => {
      this.#saving = false;
      this.#safely(() => this.#storage.setItem(this.#key, positions.toText()));
    });
  }

  #safely(work: () => void): void {
    try {
      work();
    } catch (cause) {
      if (this.#failed) return;
      this.#failed = true;
      const message = `The positions could not be kept in the storage: ${messageOf(cause)}`;
      this.#problem(new LoopClientError(ClientErrorCode.StorageFailed, message, { cause }));
    }
  }
}
