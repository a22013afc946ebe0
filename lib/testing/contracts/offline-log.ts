/** What one cluster reports of accounts that went offline, on whatever server. */
export class OfflineLog {
  private readonly reports: { readonly accountId: string; readonly at: number }[] = [];

  add(accountId: string): void {
    this.reports.push({ accountId, at: performance.now() });
  }

  /** In the order of the reports. */
  get accounts(): readonly string[] {
    return this.reports.map(({ accountId }) => accountId);
  }

  timesOf(accountId: string): number {
    return this.accounts.filter((one) => one === accountId).length;
  }

  /** When it was first reported, by the clock of `performance.now`. */
  firstOf(accountId: string): number | undefined {
    return this.reports.find((report) => report.accountId === accountId)?.at;
  }
}
