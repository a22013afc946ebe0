import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopTransportError } from '../loop-ws.errors.js';

/**
 * Bounds what waits for Redis, over all connections of a process: what the application asks for, and in a window of its own
 * what is told to other processes. Signs of life and what keeps presence right are few, and never refused.
 */
export class InFlightWindow {
  private count = 0;
  private bytes = 0;

  constructor(private readonly config: LoopWsConfig) {}

  /** Runs what takes so many bytes. Rejects with a {@link LoopTransportError} with code `backpressure` when there is no room. */
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
      `${this.count} messages with ${this.bytes} bytes wait for Redis already. Publish slower, or raise ` +
        'config.redisMaxInFlight or config.redisMaxInFlightBytes.',
    );
  }
}
