/** Runs the work of each key in order, one piece at a time, and forgets a key when its last work is done. */
export class KeyedChain {
  private readonly tails = new Map<string, Promise<void>>();

  /** Number of keys with work that is not done. */
  get size(): number {
    return this.tails.size;
  }

  /** Settles as `work` does. `work` never starts within this call. A failure does not stop the work after it. */
  run(key: string, work: () => Promise<void>): Promise<void> {
    const before = this.tails.get(key) ?? Promise.resolve();
    const done = before.then(work).finally(() => {
      if (this.tails.get(key) === tail) this.tails.delete(key);
    });
    const tail = done.catch(() => {}); // the caller gets the failure
    this.tails.set(key, tail);
    return done;
  }
}
