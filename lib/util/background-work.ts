import { Injectable, Logger } from '@nestjs/common';
import { stackOf } from './stack-of.js';

/** Work that nobody waits for while the server runs, and that the shutdown must wait for. */
@Injectable()
export class BackgroundWork {
  private readonly logger = new Logger('LoopWs');
  private readonly running = new Set<Promise<void>>();

  /** A failure is logged as `what` and goes no further. */
  track(what: string, work: Promise<unknown>): void {
    const tracked = work.then(
      () => void this.running.delete(tracked),
      (error: unknown) => {
        this.running.delete(tracked);
        this.logger.error(`${what} failed`, stackOf(error));
      },
    );
    this.running.add(tracked);
  }

  /** Resolves when nothing is running, work included that was started meanwhile. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }
}
