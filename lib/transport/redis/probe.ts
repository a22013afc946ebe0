import type { LoopWsConfig } from '../../loop-ws.config.js';
import type { RedisLink } from '../../redis/redis-link.js';
import { within } from '../../util/within.js';

/** The way to one Redis server and back. That server keeps `channel`, and only this process is subscribed to it. */
export interface ProbedRoute {
  /** Resolves with the number of connections to that Redis server that receive the message. */
  publish(channel: string): Promise<number>;
  isCompleteFor(channel: string): boolean;
  renew(channel: string): void;
}

/**
 * Verifies, each time it runs, that a Redis server answers commands, and that what this process publishes there comes
 * back on its subscribed connection. A connection that only looks alive is closed, so that a new one replaces it. So is
 * a subscribed connection to a former master: it still receives every message, because masters forward them to their
 * replicas, but the new master does not count it as a receiver.
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
    const back = new Promise<true>((resolve) => (this.returned = () => resolve(true)));
    const wasComplete = route.isCompleteFor(channel);
    const receivers = await this.inTime(route.publish(channel).catch(() => undefined));
    if (receivers === undefined) link.renew(channel);
    // A probe that was not sent says nothing about the subscribed connection.
    else if (wasComplete && (receivers === 0 || !(await this.inTime(back)))) route.renew(channel);
    this.running = false;
  }

  /** After the timeout, data that arrived while the event loop was blocked may still be read. */
  private async inTime<T>(arrival: Promise<T>): Promise<T | undefined> {
    const { redisCommandTimeoutMs } = this.config;
    const arrived = await within<T | undefined>(arrival, redisCommandTimeoutMs, () => undefined);
    if (arrived !== undefined) return arrived;
    await new Promise((resolve) => setImmediate(resolve));
    return within<T | undefined>(arrival, 1, () => undefined);
  }
}
