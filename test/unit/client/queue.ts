const DEADLINE_MS = 4_000;

/** Settles like the promise, or fails with a sentence: a test must not hang without saying for what. */
export async function within<T>(promise: Promise<T>, sentence: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${sentence} (waited ${DEADLINE_MS} ms)`)),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** What has happened so far, and a way to await what happens next. */
export class Queue<T> {
  readonly all: T[] = [];
  #taken = 0;
  #wake = new Set<() => void>();

  push(item: T): void {
    this.all.push(item);
    for (const wake of this.#wake) wake();
  }

  /** The next item that was not taken yet and satisfies the condition; those before it count as taken. */
  next(sentence: string, condition: (item: T) => boolean = () => true): Promise<T> {
    return within(this.#next(condition), sentence);
  }

  async #next(condition: (item: T) => boolean): Promise<T> {
    for (;;) {
      while (this.#taken < this.all.length) {
        const item = this.all[this.#taken++] as T;
        if (condition(item)) return item;
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#wake.delete(wake);
          resolve();
        };
        this.#wake.add(wake);
      });
    }
  }
}
