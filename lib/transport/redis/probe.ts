import type { LoopWsConfig } from '../../loop-ws.config.js';
import type { RedisLink } from '../../redis/redis-link.js';
import { within } from '../../util/within.js';

/**
 * Proves again and again that the command connection answers, and that what this process publishes comes back on its
 * subscribed connection. A connection that only looks alive is cut, so that a new one is made.
 */
export class Probe {
  private timer: ReturnType<typeof setInterval> | undefined;
  private returned: (() => void) | undefined;
  private running = false;

  constructor(
    private readonly link: RedisLink,
    private readonly config: LoopWsConfig,
    private readonly inbox: string,
    private readonly message: string,
    private readonly subscriber: { readonly isComplete: boolean; renew(): void },
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.run(), this.config.serverBeatMs).unref();
  }

  /** The probe arrived. */
  arrived(): void {
    this.returned?.();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async run(): Promise<void> {
    if (this.running || !this.link.isUp) return;
    this.running = true;
    const back = new Promise<boolean>((resolve) => (this.returned = () => resolve(true)));
    const wasComplete = this.subscriber.isComplete;
    const sent = await this.send();
    if (!sent) this.link.renew();
    // A probe that was not sent says nothing about the way back.
    else if (wasComplete && !(await this.inTime(back))) this.subscriber.renew();
    this.running = false;
  }

  private send(): Promise<boolean> {
    const published = this.link.call('PUBLISH', this.inbox, this.message);
    return this.inTime(
      published.then(
        () => true,
        () => false,
      ),
    );
  }

  /** What arrived while the event loop was blocked is read before the verdict. */
  private async inTime(arrival: Promise<boolean>): Promise<boolean> {
    if (await within(arrival, this.config.redisCommandTimeoutMs, () => false)) return true;
    await new Promise((resolve) => setImmediate(resolve));
    return within(arrival, 1, () => false);
  }
}
