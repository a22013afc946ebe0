const EVERY_MS = 20;

/** How long before and after an event its process may have been busy so that it was seen late, in milliseconds. */
const AROUND_MS = 500;

/** How long this process did nothing, or could not look: clients that live in it see everything that much later. */
export class Lag {
  private readonly seen: { readonly at: number; readonly ms: number }[] = [];
  private last = Date.now();
  private readonly timer = setInterval(() => this.look(), EVERY_MS);

  /** Around a time in milliseconds since 1970. */
  around(time: number): number {
    const near = this.seen.filter(({ at }) => Math.abs(at - time) <= AROUND_MS);
    return Math.max(0, ...near.map(({ ms }) => ms));
  }

  get longest(): number {
    return Math.max(0, ...this.seen.map(({ ms }) => ms));
  }

  end(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const at = Date.now();
    const ms = at - this.last - EVERY_MS;
    if (ms > EVERY_MS) this.seen.push({ at, ms });
    this.last = at;
  }
}
