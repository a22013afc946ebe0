import { MAX_TIMER_MS } from '../../protocol/max-timer.js';

/** The longest notice before credentials expire, in milliseconds: enough for browsers, which slow down hidden tabs. */
const MAX_NOTICE_MS = 300_000;

/** The longest timer that still leaves the full notice when it fires. */
const MAX_WAIT_MS = MAX_TIMER_MS - MAX_NOTICE_MS;

/** Credentials with almost no lifetime must not cause notices in a tight loop. */
const MIN_WAIT_MS = 250;

/**
 * How long to wait before telling a client that its credentials expire, in milliseconds: until a fifth of the remaining
 * time is left, but at most five minutes.
 */
export function noticeWaitMs(leftMs: number): number {
  return Math.max(leftMs - Math.min(leftMs / 5, MAX_NOTICE_MS), MIN_WAIT_MS);
}

export interface ExpiryObserver {
  /**
   * Called repeatedly until the credentials are replaced, each time with a fifth of the previously remaining time left.
   */
  readonly onExpiring: () => void;
  readonly onExpired: () => void;
}

/** Calls back before credentials expire and when they do, even when that is beyond the longest timer. */
export class CredentialsExpiry {
  private timer: ReturnType<typeof setTimeout>;

  constructor(
    readonly expiresAt: number,
    private readonly observer: ExpiryObserver,
  ) {
    this.timer = this.wait();
  }

  /** Milliseconds until the credentials expire. */
  get leftMs(): number {
    return Math.max(0, Math.round(this.expiresAt - Date.now()));
  }

  clear(): void {
    clearTimeout(this.timer);
  }

  private wait(): ReturnType<typeof setTimeout> {
    const left = this.expiresAt - Date.now();
    const notice = noticeWaitMs(left);
    if (left <= MIN_WAIT_MS)
      return setTimeout(() => this.observer.onExpired(), Math.max(left, 0)).unref();
    const onTimer = (): void => {
      this.timer = this.wait();
      if (notice <= MAX_WAIT_MS) this.observer.onExpiring();
    };
    return setTimeout(onTimer, Math.min(notice, MAX_WAIT_MS)).unref();
  }
}
