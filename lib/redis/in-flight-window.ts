import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopTransportError } from '../loop-ws.errors.js';

/** Bounds what waits for Redis, over all connections of a process. */
export class InFlightWindow {
  private commands = 0;
  private bytes = 0;

  constructor(private readonly config: LoopWsConfig) {}

  /** Throws a {@link LoopTransportError} with code `backpressure` when there is no room. Give the room back by `leave`. */
  enter(bytes: number): void {
    const { redisMaxInFlight, redisMaxInFlightBytes } = this.config;
    if (this.commands >= redisMaxInFlight || this.bytes + bytes > redisMaxInFlightBytes) {
      throw new LoopTransportError(
        'backpressure',
        `${this.commands} commands with ${this.bytes} bytes wait for Redis already. Publish slower, or raise ` +
          'config.redisMaxInFlight or config.redisMaxInFlightBytes.',
      );
    }
    this.enterAnyway(bytes);
  }

  /** Counts in it as well, and is never refused. */
  enterAnyway(bytes: number): void {
    this.commands++;
    this.bytes += bytes;
  }

  leave(bytes: number): void {
    this.commands--;
    this.bytes -= bytes;
  }
}
