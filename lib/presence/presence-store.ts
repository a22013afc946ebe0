import type { ConnectionRef } from '../transport/transport-message.js';

/** One connection that is present somewhere in the cluster. */
export interface PresentConnection extends ConnectionRef {
  readonly serverId: string;
}

/** What a store keeps of a connection. `registration` is unique, so that a late unregister cannot hit a successor. */
export interface PresenceRegistration extends PresentConnection {
  readonly registration: string;
}

/** An account came online with its first connection, or went offline with its last. */
export interface PresenceEdge {
  readonly accountId: string;
  readonly online: boolean;
}

/** Where a presence store reports that accounts came and went. */
export interface PresenceEdges {
  /** Called on one server of the cluster when an account's last connection is gone and its grace has passed. */
  offline(accountId: string): void;
  /**
   * Called when an account is back that was reported offline while its server was only out of reach, or that came back
   * while it was being reported. Any other edge is told by the registration itself.
   */
  online(accountId: string): void;
}

/** This process, as a presence store sees it. */
export interface PresenceServer {
  readonly serverId: string;
  /** An account that is back within this time, in milliseconds, shows no edge. */
  readonly graceMs: number;
  /**
   * Absent in a process that registers nothing and calls no hooks, such as a worker: an edge must wait until a process
   * that has them reports it.
   */
  readonly edges?: PresenceEdges;
}

/** What came of a registration. */
export interface PresenceRegistered {
  /** The account had no connection, and was not in its grace either. Told once per transition in the cluster. */
  readonly cameOnline: boolean;
  /** The other registrations of the same identity: connections that this one replaces. */
  readonly others: readonly PresenceRegistration[];
}

/** Accounts of a page whose size nobody asked for. */
const DEFAULT_PAGE = 100;

/** How many accounts a page has. Throws a `RangeError` for what is no whole number from 1. */
export function pageLimit(limit = DEFAULT_PAGE): number {
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new RangeError(`The limit of a page must be a whole number from 1, not ${String(limit)}.`);
}

export interface AccountPage {
  readonly accounts: readonly string[];
  /** Pass it on to get the next page; absent on the last one. */
  readonly next?: string;
}

/** Who is connected, and on which server, across the cluster. Also the injection token. */
export abstract class PresenceStore {
  /** Called once, before the first connection. */
  abstract start(server: PresenceServer): Promise<void>;

  /** Resolves once every server can see the connection. */
  abstract register(registration: PresenceRegistration): Promise<PresenceRegistered>;

  /** Removes exactly this registration; one that is not there is not an error. */
  abstract unregister(registration: PresenceRegistration): Promise<void>;

  /** Whether the account has a connection anywhere right now; an account in its grace has none. */
  abstract isOnline(accountId: string): Promise<boolean>;

  /** The account's connections on every server. */
  abstract connectionsOf(accountId: string): Promise<readonly PresentConnection[]>;

  /**
   * Accounts that are online, in pages of at most `limit`, in no particular order. `limit` is a whole number from 1;
   * default 100. Rejects with a `RangeError` for any other.
   */
  abstract accounts(page?: {
    readonly after?: string;
    readonly limit?: number;
  }): Promise<AccountPage>;

  /** How many accounts and connections are online. */
  abstract count(): Promise<{ readonly accounts: number; readonly connections: number }>;

  /**
   * Called once, after the last connection was unregistered. The last server of the cluster that has
   * `edges` reports the accounts in their grace before it resolves; another one leaves them to those that stay.
   */
  abstract close(): Promise<void>;
}
