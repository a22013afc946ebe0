/** Counts the inbound events that were handled, in a process that runs one peer. */
class Work {
  private count = 0;
  private target = Infinity;
  private reached: () => void = () => {};

  done(): void {
    if (++this.count === this.target) this.reached();
  }

  /** Resolves when `more` have been handled since the last call, without asking in between. */
  async untilDone(more: number): Promise<void> {
    const all = new Promise<void>((resolve) => (this.reached = resolve));
    this.target = more;
    if (this.count < more) await all;
    if (this.count > more) throw new Error(`${this.count} events were handled, not ${more}.`);
    this.count = 0;
    this.target = Infinity;
  }
}

export const work = new Work();
