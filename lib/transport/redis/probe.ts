import type { LoopWsConfig } from '../../loop-ws.config.js';
import type { RedisLink } from '../../redis/redis-link.js';
import { within } from '../../util/within.js';

/** Both ways between this process and one server. `channel` is kept by that server, and only this process hears it. */
export interface ProbedRoute {
  publish(channel: string): Promise<unknown>;
  isCompleteFor(channel: string): boolean;
  renew(channel: string): void;
}

/**
 * Proves again and again that a server of Redis answers commands, and that what this process publishes there comes back
 * on its subscribed connection. A connection that only looks alive is cut, so that a new one is made.
 */
export class Probe {
  private returned: (() => void) | undefined;
  private running = false;

  constructor(
    private readonly channel: string,
    private readonly link: RedisLink,
    private readonly route: ProbedRoute,
    private readonly config: LoopWsConfig,
  ) {}

  /** It came back. */
  arrived(): void {
    this.returned?.();
  }

  async run(): Promise<void> {
    const { channel, link, route } = this;
    if (this.running || !link.reaches(channel)) return;
    this.running = true;
    const back = new Promise<boolean>((resolve) => (this.returned = () => resolve(true)));
    const wasComplete = route.isCompleteFor(channel);
    const sent = await this.send();
    if (!sent) link.renew(channel);
    // A probe that was not sent says nothing about the way back.
    else if (wasComplete && !(await this.inTime(back))) route.renew(channel);
    this.running = false;
  }

  private send(): Promise<boolean> {
    return this.inTime(
      this.route.publish(this.channel).then(
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
