import { MAX_TIMER_MS } from '../util/timers.js';

/** Longest time before the expiry at which a client is told: enough for browsers, which slow down hidden tabs. */
const LONGEST_NOTICE_MS = 300_000;

/** As long as a timer can be, less what must be left when it ends. */
const LONGEST_WAIT_MS = MAX_TIMER_MS - LONGEST_NOTICE_MS;

/** A client whose credentials have no lifetime must not be told in a tight loop. */
const SHORTEST_WAIT_MS = 250;

/** How long to wait before a client hears that its credentials expire: until a fifth is left, at most five minutes. */
export function noticeWaitMs(leftMs: number): number {
  return Math.max(leftMs - Math.min(leftMs / 5, LONGEST_NOTICE_MS), SHORTEST_WAIT_MS);
}

export interface ExpiryObserver {
  /** Comes again while the credentials stay the same, each time with a fifth of what was left. */
  readonly onExpiring: () => void;
  readonly onExpired: () => void;
}

/** Calls back before credentials expire and when they do, however far away that is. */
export class CredentialsExpiry {
  private timer: ReturnType<typeof setTimeout>;

  constructor(
    private readonly expiresAt: number,
    private readonly observer: ExpiryObserver,
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
    const notice = noticeWaitMs(left);
    if (left <= SHORTEST_WAIT_MS)
      return setTimeout(() => this.observer.onExpired(), Math.max(left, 0)).unref();
    const goOn = (): void => {
      this.timer = this.wait();
      if (notice <= LONGEST_WAIT_MS) this.observer.onExpiring();
    };
    return setTimeout(goOn, Math.min(notice, LONGEST_WAIT_MS)).unref();
  }
}
