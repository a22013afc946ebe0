import { LoopTransportError } from '../loop-ws.errors.js';

/** A channel to subscribe to, and the callers that wait for it. */
export class SubscribedChannel {
  /** When the channel may be unsubscribed, by the monotonic clock; `undefined` while it is needed. */
  until: number | undefined;
  /** The session in which Redis confirmed it; 0 for none. */
  private confirmedIn = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly name: string,
    /** Subscribed after all others, so that its subscribers are the processes that hear everything. */
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

  /** From now on, another connection has to subscribe the channel. */
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
