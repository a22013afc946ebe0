interface Report {
  readonly accountId: string;
  readonly at: number;
}

/** One kind of edge, as one cluster reports it on whatever server. */
export class EdgeLog {
  private readonly reports: Report[] = [];

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

/** What one cluster tells of accounts that come and go. */
export interface ClusterEdges {
  /** Told by a registration, or reported later. */
  readonly online: EdgeLog;
  readonly offline: EdgeLog;
}
