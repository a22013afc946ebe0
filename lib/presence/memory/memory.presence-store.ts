import {
  type AccountPage,
  DEFAULT_PAGE,
  type PresenceRegistered,
  type PresenceRegistration,
  type PresenceServer,
  PresenceStore,
  type PresentConnection,
} from '../presence-store.js';

interface Account {
  readonly registrations: Map<string, PresenceRegistration>;
  /** Runs while the account has no connection and may still come back unseen. */
  leaving?: ReturnType<typeof setTimeout>;
  /** Its grace has passed, and nobody was there who reports edges. */
  isUnreported?: boolean;
}

/** What the stores of one process look at together. A store with a table of its own makes one server. */
export class PresenceTable {
  readonly accounts = new Map<string, Account>();
  readonly servers = new Set<PresenceServer>();
}

/** Presence of one process. Several stores on one {@link PresenceTable} see each other's connections. */
export class MemoryPresenceStore extends PresenceStore {
  private server: PresenceServer | undefined;

  constructor(private readonly table: PresenceTable = new PresenceTable()) {
    super();
  }

  override async start(server: PresenceServer): Promise<void> {
    this.server = server;
    this.table.servers.add(server);
    if (server.edges !== undefined) this.leaveAllUnreported();
  }

  override async register(registration: PresenceRegistration): Promise<PresenceRegistered> {
    const known = this.table.accounts.get(registration.accountId);
    const account = known ?? this.arrive(registration);
    clearTimeout(account.leaving);
    account.isUnreported = false;
    const others = [...account.registrations.values()].filter(
      (other) => other.connectionId === registration.connectionId,
    );
    account.registrations.set(registration.registration, registration);
    return { cameOnline: known === undefined, others };
  }

  override async unregister({ accountId, registration }: PresenceRegistration): Promise<void> {
    const account = this.table.accounts.get(accountId);
    if (!account?.registrations.delete(registration) || account.registrations.size > 0) return;
    account.leaving = setTimeout(() => this.leave(accountId), this.server?.graceMs).unref();
  }

  override async isOnline(accountId: string): Promise<boolean> {
    return (this.table.accounts.get(accountId)?.registrations.size ?? 0) > 0;
  }

  override async connectionsOf(accountId: string): Promise<readonly PresentConnection[]> {
    const registrations = this.table.accounts.get(accountId)?.registrations.values() ?? [];
    return [...registrations].map(({ connectionId, serverId }) => ({
      accountId,
      connectionId,
      serverId,
    }));
  }

  override async accounts(
    page: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<AccountPage> {
    const { after, limit = DEFAULT_PAGE } = page;
    const rest = this.online()
      .toSorted()
      .filter((accountId) => after === undefined || accountId > after);
    const accounts = rest.slice(0, limit);
    const last = accounts.at(-1);
    return rest.length > accounts.length && last !== undefined
      ? { accounts, next: last }
      : { accounts };
  }

  override async count(): Promise<{ accounts: number; connections: number }> {
    const sizes = [...this.table.accounts.values()].map((account) => account.registrations.size);
    return {
      accounts: sizes.filter((size) => size > 0).length,
      connections: sizes.reduce((sum, size) => sum + size, 0),
    };
  }

  /** The last server to leave reports the accounts in their grace at once: nobody will be there to do it later. */
  override async close(): Promise<void> {
    if (this.server === undefined) return;
    if (this.server.edges !== undefined && this.reporters().length === 1) this.leaveAllInGrace();
    this.table.servers.delete(this.server);
  }

  private arrive({ accountId }: PresenceRegistration): Account {
    const account: Account = { registrations: new Map() };
    this.table.accounts.set(accountId, account);
    return account;
  }

  private leave(accountId: string): void {
    const account = this.table.accounts.get(accountId);
    clearTimeout(account?.leaving);
    const edges = this.reporter()?.edges;
    if (edges === undefined) {
      if (account !== undefined) account.isUnreported = true;
      return;
    }
    this.table.accounts.delete(accountId);
    edges.offline(accountId);
  }

  private leaveAllInGrace(): void {
    for (const [accountId, { registrations }] of this.table.accounts) {
      if (registrations.size === 0) this.leave(accountId);
    }
  }

  /** What nobody could report before this server came. */
  private leaveAllUnreported(): void {
    for (const [accountId, { isUnreported }] of this.table.accounts) {
      if (isUnreported) this.leave(accountId);
    }
  }

  /** On this server if it can and is still there, else on another: one server reports an edge, whoever saw it. */
  private reporter(): PresenceServer | undefined {
    const reporters = this.reporters();
    return reporters.find((server) => server === this.server) ?? reporters[0];
  }

  private reporters(): PresenceServer[] {
    return [...this.table.servers].filter(({ edges }) => edges !== undefined);
  }

  private online(): string[] {
    return [...this.table.accounts]
      .filter(([, account]) => account.registrations.size > 0)
      .map(([accountId]) => accountId);
  }
}
