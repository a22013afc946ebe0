import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopTransportError } from '../loop-ws.errors.js';

/**
 * Bounds what an application makes wait for Redis, over all connections of a process. What the library itself has to say
 * is not refused, and is little: a flood of pushes must not keep a process from saying that it is alive, nor from telling
 * what became of the pushes of others.
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
