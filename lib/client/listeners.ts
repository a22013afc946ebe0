/** Runs what the application gave us: whatever it throws, or rejects with later, goes to `failed`. */
export function callSafely(call: () => unknown, failed: (thrown: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) void Promise.resolve(result).catch(failed);
  } catch (thrown) {
    failed(thrown);
  }
}

/** Listeners of one kind, none of which can break another. */
export class Listeners<Args extends unknown[]> {
  readonly #registrations = new Set<{ readonly listener: (...args: Args) => unknown }>();
  readonly #failed: (thrown: unknown) => void;
  readonly #pending: Args[] = [];

  constructor(failed: (thrown: unknown) => void) {
    this.#failed = failed;
  }

  get size(): number {
    return this.#registrations.size;
  }

  /** The registration is an object of its own, so one function added twice is called and removed twice. */
  add(listener: (...args: Args) => unknown): () => void {
    const registration = { listener };
    this.#registrations.add(registration);
    return () => void this.#registrations.delete(registration);
  }

  /** One call after the other: what a listener causes is told when all have heard of what came before it. */
  emit(...args: Args): void {
    this.#pending.push(args);
    if (this.#pending.length > 1) return;
    for (; this.#pending[0] !== undefined; this.#pending.shift()) this.#tell(this.#pending[0]);
  }

  #tell(args: Args): void {
    for (const registration of [...this.#registrations]) {
      // An earlier listener may have removed this one: it must not be called any more.
      if (!this.#registrations.has(registration)) continue;
      callSafely(() => registration.listener(...args), this.#failed);
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
