import type { ConnectionRef } from '../transport/transport-message.js';

/** One connection that is present somewhere in the cluster. */
export interface PresentConnection extends ConnectionRef {
  readonly serverId: string;
}

/**
 * What a store keeps of a connection. `registration` is unique, so that a late unregister cannot remove a successor.
 */
export interface PresenceRegistration extends PresentConnection {
  readonly registration: string;
}

/** An account came online with its first connection, or went offline with its last. */
export interface PresenceEdge {
  readonly accountId: string;
  readonly online: boolean;
}

/** The callbacks through which a presence store reports that accounts went offline or came online. */
export interface PresenceEdges {
  /** Called on one server of the cluster when an account's last connection is gone and its grace has passed. */
  offline(accountId: string): void;
  /**
   * Called when an account is back that was reported offline while its server was only out of reach, or that came back
   * while its offline edge was being reported. The result of `register` reports all other online edges.
   */
  online(accountId: string): void;
}

/** This process, as a presence store sees it. */
export interface PresenceServer {
  readonly serverId: string;
  /** An account that comes back within this time, in milliseconds, causes no edge. */
  readonly graceMs: number;
  /**
   * Absent in a process that registers nothing and calls no hooks, such as a worker. Edges then wait for a process that
   * can report them.
   */
  readonly edges?: PresenceEdges;
}

/** The result of a registration. */
export interface PresenceRegistered {
  /** Whether the account had no connection and was not in its grace. True once per transition in the cluster. */
  readonly cameOnline: boolean;
  /** The other registrations of the same identity, whose connections this one replaces. */
  readonly others: readonly PresenceRegistration[];
}

/** Accounts per page by default. */
const DEFAULT_PAGE = 100;

/** The number of accounts per page. Throws a `RangeError` unless `limit` is a positive integer; default 100. */
export function pageLimit(limit = DEFAULT_PAGE): number {
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new RangeError(`The page limit must be a positive integer, not ${String(limit)}.`);
}

export interface AccountPage {
  readonly accounts: readonly string[];
  /** Pass it as `after` to get the next page; absent on the last one. */
  readonly next?: string;
}

/** Who is connected, and on which server, across the cluster. Also the injection token. */
export abstract class PresenceStore {
  /** Called once, before the first connection. */
  abstract start(server: PresenceServer): Promise<void>;

  /** Resolves once every server can see the connection. */
  abstract register(registration: PresenceRegistration): Promise<PresenceRegistered>;

  /** Removes exactly this registration. It is not an error if it does not exist. */
  abstract unregister(registration: PresenceRegistration): Promise<void>;

  /** Whether the account has a connection anywhere right now; an account in its grace has none. */
  abstract isOnline(accountId: string): Promise<boolean>;

  /** The account's connections on every server. */
  abstract connectionsOf(accountId: string): Promise<readonly PresentConnection[]>;

  /**
   * Accounts that are online, in pages of at most `limit`, in no particular order. `limit` is a positive integer, 100
   * by default. Rejects with a `RangeError` for any other value.
   */
  abstract accounts(page?: {
    readonly after?: string;
    readonly limit?: number;
  }): Promise<AccountPage>;

  /** How many accounts and connections are online. */
  abstract count(): Promise<{ readonly accounts: number; readonly connections: number }>;

  /**
   * Called once, after the last connection was unregistered. The last server of the cluster that has `edges` reports
   * the accounts in their grace before it resolves; any other server leaves them to those that stay.
   */
  abstract close(): Promise<void>;
}
