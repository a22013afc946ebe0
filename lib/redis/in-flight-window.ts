import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopTransportError } from '../loop-ws.errors.js';

/**
 * Bounds what waits for Redis, over all connections of a process. There is one window for what the application asks
 * for, and one for what is sent to other processes. Heartbeats and presence maintenance are few, and are never refused.
 */
export class InFlightWindow {
  private count = 0;
  private bytes = 0;

  constructor(private readonly config: LoopWsConfig) {}

  /**
   * Runs `work`, which takes up `bytes` until it settles. Rejects with a {@link LoopTransportError} with code
   * `backpressure` when there is no room.
   */
  async hold<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    this.requireRoom(bytes);
    this.count++;
    this.bytes += bytes;
    try {
      return await work();
    } finally {
      this.count--;
      this.bytes -= bytes;
    }
  }

  private requireRoom(bytes: number): void {
    const { redisMaxInFlight, redisMaxInFlightBytes } = this.config;
    if (this.count < redisMaxInFlight && this.bytes + bytes <= redisMaxInFlightBytes) return;
    throw new LoopTransportError(
      'backpressure',
      `${this.count} messages with ${this.bytes} bytes are already waiting for Redis. ` +
        'Publish more slowly, or raise config.redisMaxInFlight or config.redisMaxInFlightBytes.',
    );
  }
}
