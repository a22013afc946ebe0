import { Injectable } from '@nestjs/common';
import { SampledLogger } from './sampled-logger.js';

/** Work that nobody waits for while the server runs, and that the shutdown must wait for. */
@Injectable()
export class BackgroundWork {
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly logger: SampledLogger) {}

  /** A failure is logged, with `what` as its kind, and goes no further. */
  track(what: string, work: Promise<unknown>): void {
    const tracked = work.then(
      () => void this.running.delete(tracked),
      (error: unknown) => {
        this.running.delete(tracked);
        this.logger.error(what, `${what} failed`, error);
      },
    );
    this.running.add(tracked);
  }

  /** Resolves when nothing is running, work included that was started meanwhile. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }
}
