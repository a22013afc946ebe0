import { Logger } from '@nestjs/common';
import { stackOf } from './stack-of.js';

interface Sample {
  readonly until: number;
  suppressed: number;
}

/**
 * Logs the first line of each kind in a window of `logSampleMs` and counts the rest, so that a hostile peer cannot
 * flood the log.
 */
export class SampledLogger {
  private readonly logger = new Logger('LoopWs');
  private readonly samples = new Map<string, Sample>();
  private readonly windowMs: number;

  constructor({ logSampleMs }: { readonly logSampleMs: number }) {
    this.windowMs = logSampleMs;
  }

  warn(kind: string, message: string, error?: unknown): void {
    const line = this.sampled(kind, message);
    if (line !== undefined)
      this.logger.warn(error === undefined ? line : `${line}: ${stackOf(error)}`);
  }

  error(kind: string, message: string, error: unknown): void {
    const line = this.sampled(kind, message);
    if (line !== undefined) this.logger.error(line, stackOf(error));
  }

  /** The line with the number of suppressed lines before it, or `undefined` when it is itself suppressed. */
  private sampled(kind: string, message: string): string | undefined {
    const sample = this.samples.get(kind);
    if (sample !== undefined && sample.until > performance.now()) {
      sample.suppressed++;
      return undefined;
    }
    this.samples.set(kind, { until: performance.now() + this.windowMs, suppressed: 0 });
    return sample?.suppressed ? `${message} (and ${sample.suppressed} more like it)` : message;
  }
}
