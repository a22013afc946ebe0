import { MAX_TIMER_MS } from '../util/timers.js';

/** Calls back when credentials expire, however far away that is. */
export class CredentialsExpiry {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private expiresAt: number | undefined;

  constructor(private readonly onExpired: () => void) {}

  /** Milliseconds until then; absent for credentials that do not expire. */
  get expiresInMs(): { readonly expiresInMs?: number } {
    if (this.expiresAt === undefined) return {};
    return { expiresInMs: Math.max(0, Math.round(this.expiresAt - Date.now())) };
  }

  /** Replaces what was set before. */
  set(expiresAt: number | undefined): void {
    clearTimeout(this.timer);
    this.expiresAt = expiresAt;
    if (expiresAt !== undefined) this.wait(expiresAt);
  }

  clear(): void {
    clearTimeout(this.timer);
  }

  private wait(expiresAt: number): void {
    const left = expiresAt - Date.now();
    this.timer = setTimeout(
      () => (left > MAX_TIMER_MS ? this.wait(expiresAt) : this.onExpired()),
      Math.min(Math.max(left, 0), MAX_TIMER_MS),
    ).unref();
  }
}
