import { LoopTransportError } from '../loop-ws.errors.js';

/** One channel that has to be subscribed, and those who wait for it. */
export class SubscribedChannel {
  /** When it may be given up, by the monotonic clock; absent while somebody needs it. */
  until: number | undefined;
  /** The session in which Redis confirmed it; 0 for none. */
  private confirmedIn = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly name: string,
    /** Subscribed after all others: whoever counts its subscribers counts those that hear everything. */
    readonly isLast: boolean,
  ) {}

  isConfirmedIn(session: number): boolean {
    return this.confirmedIn === session && session > 0;
  }

  confirm(session: number): void {
    this.confirmedIn = session;
    for (const done of this.waiting) done();
    this.waiting.clear();
  }

  /** Another connection has to subscribe it from now on. */
  forget(): void {
    this.confirmedIn = 0;
  }

  /** Resolves with the next confirmation. Rejects with a {@link LoopTransportError} when it takes longer than `ms`. */
  confirmed(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(done);
        const message = `Redis did not confirm a subscription within ${ms} ms.`;
        reject(new LoopTransportError('unavailable', message));
      }, ms);
      this.waiting.add(done);
    });
  }
}
