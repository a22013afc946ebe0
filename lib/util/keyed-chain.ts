/** Runs the work of one key in turn, and forgets a key when the last of its work is done. */
export class KeyedChain {
  private readonly tails = new Map<string, Promise<void>>();

  /** How many keys have work. */
  get size(): number {
    return this.tails.size;
  }

  /** Settles as `work` does, which never starts within this call. A failure does not stop what comes after it. */
  run(key: string, work: () => Promise<void>): Promise<void> {
    const before = this.tails.get(key) ?? Promise.resolve();
    const done = before.then(work).finally(() => {
      if (this.tails.get(key) === tail) this.tails.delete(key);
    });
    const tail = done.catch(() => {}); // the one who asked has the failure
    this.tails.set(key, tail);
    return done;
  }
}
