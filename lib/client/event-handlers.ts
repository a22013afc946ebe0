import type {
  LoopDataMatching,
  LoopEventData,
  LoopNamesMatching,
} from '../protocol/event-types.js';
import { MAX_NAME_LENGTH } from '../protocol/event-name.js';
import { parsePattern, patternsMatching } from '../protocol/pattern.js';
import { ClientErrorCode, LoopClientError } from './client-errors.js';
import { Listeners } from './listeners.js';

/** An event as it arrived. Where a pattern matches several names, testing `name` narrows `data`. */
export type LoopReceivedEvent<P extends string = string> = {
  [Name in LoopNamesMatching<P>]: { readonly name: Name; readonly data: LoopEventData<Name> };
}[LoopNamesMatching<P>];

/** What an application does with events of the pattern `P`. What it throws or rejects with goes to `onError`. */
export type LoopEventHandler<P extends string> = (
  data: LoopDataMatching<P>,
  event: LoopReceivedEvent<P>,
) => unknown;

/** A handler as it is kept: the type of the data is the server's promise, whose schemas are checked there. */
export type UntypedHandler = (data: unknown, event: { name: string; data: unknown }) => unknown;

/** Handlers by pattern. A pattern is wanted as long as it has one. */
export class EventHandlers {
  readonly #byPattern = new Map<string, Listeners<Parameters<UntypedHandler>>>();
  readonly #failed: (thrown: unknown) => void;
  readonly #changed: (pattern: string) => void;

  /** `changed` hears of each pattern that became wanted or unwanted. */
  constructor(failed: (thrown: unknown) => void, changed: (pattern: string) => void) {
    this.#failed = failed;
    this.#changed = changed;
  }

  add(pattern: string, handler: UntypedHandler): () => void {
    if (parsePattern(pattern) === undefined) throw badPattern(pattern);
    const remove = this.#listenersOf(pattern).add(handler);
    return () => {
      remove();
      this.#forgetIfUnused(pattern);
    };
  }

  wants(pattern: string): boolean {
    return this.#byPattern.has(pattern);
  }

  wanted(): Iterable<string> {
    return this.#byPattern.keys();
  }

  dispatch(name: string, data: unknown): void {
    for (const pattern of patternsMatching(name)) {
      this.#byPattern.get(pattern)?.emit(data, { name, data });
    }
  }

  #listenersOf(pattern: string): Listeners<Parameters<UntypedHandler>> {
    const existing = this.#byPattern.get(pattern);
    if (existing !== undefined) return existing;
    const listeners = new Listeners<Parameters<UntypedHandler>>(this.#failed);
    this.#byPattern.set(pattern, listeners);
    this.#changed(pattern);
    return listeners;
  }

  #forgetIfUnused(pattern: string): void {
    if (this.#byPattern.get(pattern)?.size !== 0) return;
    this.#byPattern.delete(pattern);
    this.#changed(pattern);
  }
}

function badPattern(pattern: string): LoopClientError {
  return new LoopClientError(
    ClientErrorCode.BadPattern,
    `"${pattern}" is not a pattern: use "billing:invoice.paid", "billing:*", "*:invoice.paid", "*:*" or "billing:invoice.*", at most ${MAX_NAME_LENGTH} characters.`,
  );
}
