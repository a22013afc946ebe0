import { randomUUID } from 'node:crypto';
import type {
  AccountPage,
  PresenceRegistered,
  PresenceRegistration,
  PresenceStore,
  PresentConnection,
} from '../../presence/presence-store.js';
import type { ContractMember } from './check.js';
import type { ClusterEdges, EdgeLog } from './edge-log.js';
import type { Patience } from './patience.js';

export interface Registered extends PresenceRegistered {
  readonly registration: PresenceRegistration;
}

/** A server with the presence store under test. */
export class PresenceMember implements ContractMember {
  private readonly live = new Set<PresenceRegistration>();
  private isRunning = false;

  constructor(
    private readonly store: PresenceStore,
    readonly serverId: string,
    private readonly graceMs: number,
    readonly patience: Patience,
    private readonly edges: ClusterEdges,
  ) {}

  /** Of the whole cluster. */
  get offline(): EdgeLog {
    return this.edges.offline;
  }

  /** Of the whole cluster. */
  get online(): EdgeLog {
    return this.edges.online;
  }

  async start(): Promise<void> {
    const server = {
      serverId: this.serverId,
      graceMs: this.graceMs,
      edges: {
        offline: (accountId: string) => this.offline.add(accountId),
        online: (accountId: string) => this.online.add(accountId),
      },
    };
    await this.settled('start', this.store.start(server));
    this.isRunning = true;
  }

  async register(accountId: string, connectionId = 'phone'): Promise<Registered> {
    const registration = this.registrationOf(accountId, connectionId);
    this.live.add(registration);
    const registered = await this.settled('register', this.store.register(registration));
    if (registered.cameOnline) this.online.add(accountId);
    return { ...registered, registration };
  }

  async unregister(registration: PresenceRegistration): Promise<void> {
    this.live.delete(registration);
    await this.settled('unregister', this.store.unregister(registration));
  }

  /** One that no store has heard of. */
  registrationOf(accountId: string, connectionId: string): PresenceRegistration {
    return { accountId, connectionId, serverId: this.serverId, registration: randomUUID() };
  }

  /** The account comes and goes, which starts its grace. */
  async visit(accountId: string): Promise<void> {
    const { registration } = await this.register(accountId);
    await this.unregister(registration);
  }

  /** Waits for the report, from whichever server it comes. */
  async untilOffline(accountId: string): Promise<void> {
    await this.patience.until(
      `${JSON.stringify(accountId)} is reported offline`,
      () => this.offline.timesOf(accountId) > 0,
      () => this.offline.accounts,
    );
  }

  isOnline(accountId: string): Promise<boolean> {
    return this.settled('isOnline', this.store.isOnline(accountId));
  }

  connectionsOf(accountId: string): Promise<readonly PresentConnection[]> {
    return this.settled('connectionsOf', this.store.connectionsOf(accountId));
  }

  accounts(page?: { readonly after?: string; readonly limit?: number }): Promise<AccountPage> {
    return this.settled('accounts', this.store.accounts(page));
  }

  count(): Promise<{ readonly accounts: number; readonly connections: number }> {
    return this.settled('count', this.store.count());
  }

  async close(): Promise<void> {
    if (!this.isRunning) return;
    this.isRunning = false;
    await Promise.all([...this.live].map((registration) => this.unregister(registration)));
    await this.settled('close', this.store.close());
  }

  private settled<T>(what: string, work: Promise<T>): Promise<T> {
    return this.patience.settled(what, work);
  }
}
