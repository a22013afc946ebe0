/** An `AbortController` that is made when somebody asks for its signal, because making one costs more than a frame. */
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

  /** Whether this error says nothing but that the signal was aborted. */
  causedBy(error: unknown): boolean {
    return (
      this.isAborted && this.controller !== undefined && error === this.controller.signal.reason
    );
  }
}
