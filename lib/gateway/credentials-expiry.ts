import { MAX_TIMER_MS } from '../util/timers.js';

/** Calls back when credentials expire, however far away that is. */
export class CredentialsExpiry {
  private timer: ReturnType<typeof setTimeout>;

  constructor(
    private readonly expiresAt: number,
    private readonly onExpired: () => void,
  ) {
    this.timer = this.wait();
  }

  /** Milliseconds until then. */
  get leftMs(): number {
    return Math.max(0, Math.round(this.expiresAt - Date.now()));
  }

  clear(): void {
    clearTimeout(this.timer);
  }

  private wait(): ReturnType<typeof setTimeout> {
    const left = this.expiresAt - Date.now();
    const goOn = (): void => {
      if (left > MAX_TIMER_MS) this.timer = this.wait();
      else this.onExpired();
    };
    return setTimeout(goOn, Math.min(Math.max(left, 0), MAX_TIMER_MS)).unref();
  }
}
