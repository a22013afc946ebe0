import type { LoopWsConfig } from '../../loop-ws.config.js';
import type { RedisLink } from '../../redis/redis-link.js';
import { within } from '../../util/within.js';

/** The way to one Redis server and back. That server keeps `channel`, and only this process is subscribed to it. */
export interface ProbedRoute {
  publish(channel: string): Promise<unknown>;
  isCompleteFor(channel: string): boolean;
  renew(channel: string): void;
}

/**
 * Verifies, each time it runs, that a Redis server answers commands, and that what this process publishes there comes
 * back on its subscribed connection. A connection that only looks alive is closed, so that a new one replaces it.
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

  /** The probe has returned. */
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
    // A probe that was not sent says nothing about the subscribed connection.
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

  /** After the timeout, data that arrived while the event loop was blocked may still be read. */
  private async inTime(arrival: Promise<boolean>): Promise<boolean> {
    if (await within(arrival, this.config.redisCommandTimeoutMs, () => false)) return true;
    await new Promise((resolve) => setImmediate(resolve));
    return within(arrival, 1, () => false);
  }
}
