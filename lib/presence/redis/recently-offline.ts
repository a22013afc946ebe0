/**
 * Longer than a failover takes with the defaults of Sentinel (30 s until the master counts as down) and Cluster (15 s).
 */
const REMEMBERED_MS = 60_000;

/** About 1 MB at most. The oldest are forgotten first. */
const MAX_ACCOUNTS = 10_000;

/**
 * Accounts that this process has recently reported offline. A failover can bring back connections whose departure was
 * among the lost writes. When they go again, that must not be reported a second time.
 */
export class RecentlyOffline {
  /** In the order in which they were reported, so the first is always the oldest. */
  private readonly until = new Map<string, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  add(accountId: string): void {
    this.until.delete(accountId);
    this.until.set(accountId, this.now() + REMEMBERED_MS);
    this.forgetOld();
  }

  delete(accountId: string): void {
    this.until.delete(accountId);
  }

  has(accountId: string): boolean {
    this.forgetOld();
    return this.until.has(accountId);
  }

  private forgetOld(): void {
    for (const [accountId, until] of this.until) {
      if (until > this.now() && this.until.size <= MAX_ACCOUNTS) return;
      this.until.delete(accountId);
    }
  }
}
