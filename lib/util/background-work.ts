import { Injectable } from '@nestjs/common';
import { SampledLogger } from './sampled-logger.js';

/** Tracks work that nobody waits for while the server runs, but that the shutdown must wait for. */
@Injectable()
export class BackgroundWork {
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly logger: SampledLogger) {}

  /** A failure is logged, with `what` as the kind of the log line, and does not propagate. */
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

  /** Resolves when nothing is running, including work that starts in the meantime. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }
}
