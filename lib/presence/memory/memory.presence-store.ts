import {
  type AccountPage,
  pageLimit,
  type PresenceRegistered,
  type PresenceRegistration,
  type PresenceServer,
  PresenceStore,
  type PresentConnection,
} from '../presence-store.js';
import { GroupedMap } from '../../util/grouped-map.js';

/** The state that the stores of one process share. A store with its own table is a cluster of one server. */
export class PresenceTable {
  readonly online = new GroupedMap<PresenceRegistration>(({ registration }) => registration);
  /** Accounts in their grace, each with the timer that ends it. If they come back before that, there is no edge. */
  readonly inGrace = new Map<string, ReturnType<typeof setTimeout>>();
  /** Accounts whose grace passed while no server could report the edge. */
  readonly unreported = new Set<string>();
  readonly servers = new Set<PresenceServer>();

  /** Whether the account is online, or its offline edge has not been reported yet. */
  knows(accountId: string): boolean {
    return (
      this.online.sizeOf(accountId) > 0 ||
      this.inGrace.has(accountId) ||
      this.unreported.has(accountId)
    );
  }

  /** Call this when the account is back, or when its offline edge is about to be reported. */
  endGrace(accountId: string): void {
    clearTimeout(this.inGrace.get(accountId));
    this.inGrace.delete(accountId);
    this.unreported.delete(accountId);
  }
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
    const { accountId, connectionId } = registration;
    const { online } = this.table;
    const cameOnline = !this.table.knows(accountId);
    const others = online.of(accountId).filter((other) => other.connectionId === connectionId);
    this.table.endGrace(accountId);
    online.set(accountId, registration);
    return { cameOnline, others };
  }

  override async unregister({ accountId, registration }: PresenceRegistration): Promise<void> {
    const { online, inGrace } = this.table;
    if (!online.delete(accountId, registration) || online.sizeOf(accountId) > 0) return;
    const timer = setTimeout(() => this.leave(accountId), this.server?.graceMs).unref();
    inGrace.set(accountId, timer);
  }

  override async isOnline(accountId: string): Promise<boolean> {
    return this.table.online.sizeOf(accountId) > 0;
  }

  override async connectionsOf(accountId: string): Promise<readonly PresentConnection[]> {
    return this.table.online
      .of(accountId)
      .map(({ connectionId, serverId }) => ({ accountId, connectionId, serverId }));
  }

  override async accounts(
    page: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<AccountPage> {
    const { after } = page;
    const limit = pageLimit(page.limit);
    const rest = [...this.table.online.keys()]
      .toSorted()
      .filter((accountId) => after === undefined || accountId > after);
    const accounts = rest.slice(0, limit);
    const last = accounts.at(-1);
    return rest.length > accounts.length && last !== undefined
      ? { accounts, next: last }
      : { accounts };
  }

  override async count(): Promise<{ accounts: number; connections: number }> {
    const { online } = this.table;
    return { accounts: [...online.keys()].length, connections: online.size };
  }

  /**
   * The last server to leave reports the accounts in their grace at once, because nobody will be there to do it later.
   */
  override async close(): Promise<void> {
    if (this.server === undefined) return;
    if (this.server.edges !== undefined && this.reporters().length === 1) this.leaveAllInGrace();
    this.table.servers.delete(this.server);
  }

  private leave(accountId: string): void {
    this.table.endGrace(accountId);
    const edges = this.reporter()?.edges;
    if (edges === undefined) this.table.unreported.add(accountId);
    else edges.offline(accountId);
  }

  private leaveAllInGrace(): void {
    for (const accountId of [...this.table.inGrace.keys()]) this.leave(accountId);
    this.leaveAllUnreported();
  }

  /** Reports the edges that no server could report before. */
  private leaveAllUnreported(): void {
    for (const accountId of [...this.table.unreported]) this.leave(accountId);
  }

  /** The one server that reports an edge: this one if it can and has not closed, otherwise another. */
  private reporter(): PresenceServer | undefined {
    const reporters = this.reporters();
    return reporters.find((server) => server === this.server) ?? reporters[0];
  }

  private reporters(): PresenceServer[] {
    return [...this.table.servers].filter(({ edges }) => edges !== undefined);
  }
}
