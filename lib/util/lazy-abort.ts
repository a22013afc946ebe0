/**
 * An `AbortController` that is created only when its signal is asked for, because creating one costs more than a frame.
 */
export class LazyAbort {
  private controller: AbortController | undefined;
  private isAborted = false;

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.isAborted) this.controller.abort();
    return this.controller.signal;
  }

  abort(): void {
    this.isAborted = true;
    this.controller?.abort();
  }

  /** Whether this error is only the signal's abort reason. */
  causedBy(error: unknown): boolean {
    return (
      this.isAborted && this.controller !== undefined && error === this.controller.signal.reason
    );
  }
}
