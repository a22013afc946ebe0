import type {
  ConnectionRef,
  ServerReply,
  TransportReceipt,
} from '../transport/transport-message.js';

/**
 * What became of a push to one connection.
 *
 * - `delivered`: its bounded queue took the frame. Proof that the application there has it is `EventBus.ask`.
 * - `filtered`: it is connected, and none of its subscriptions matches, or `except` names it.
 * - `not_connected`: it is connected nowhere.
 * - `send_failed`: it could not take the frame, because its reader is too slow.
 * - `unknown`: there is no proof, because a server did not answer in time or was not asked.
 */
export type ConnectionPushResult =
  'delivered' | 'filtered' | 'not_connected' | 'send_failed' | 'unknown';

/** What became of a push to many. The counts are proven; when `complete` is false there may be more. */
export interface PushReport {
  /** Connections whose queue took the frame. */
  readonly delivered: number;
  /** Connections that were meant, and hold no subscription that matches. Always 0 for a channel. */
  readonly filtered: number;
  /** Connections that could not take it. */
  readonly failed: number;
  /** Servers that had to answer, this one included, and those that did in time. */
  readonly servers: { readonly expected: number; readonly answered: number };
  /** Whether every server that had to answer did. */
  readonly complete: boolean;
}

/** How many connections were closed. */
export interface DisconnectReport {
  readonly closed: number;
  readonly complete: boolean;
}

export interface PushOptions {
  /**
   * Makes repeated pushes to the same target one, within `idempotencyWindowMs`: the repetition gets the first result.
   * A push that reached nobody may be repeated under its id.
   */
  readonly id?: string;
  /**
   * Connections to leave out. A bare `connectionId` leaves out that connection of every account. They are in no count of
   * a report; `pushToConnection` says `filtered` when it leaves out the very connection that it is for.
   */
  readonly except?: readonly (string | ConnectionRef)[];
  /** A frame that could not be written for this long, in milliseconds, is dropped. Default `config.pushTtlMs`. */
  readonly ttlMs?: number;
  /** `false`: do not wait for other servers. The result tells what this server did and is not complete. Default true. */
  readonly receipt?: boolean;
}

/** What other servers did, or `undefined` when nobody can tell. */
export type Elsewhere = TransportReceipt | undefined;

export function reportOf(here: ServerReply, elsewhere: Elsewhere): PushReport {
  const replies = [here, ...(elsewhere?.replies ?? [])];
  const sum = (field: 'delivered' | 'filtered' | 'failed'): number =>
    replies.reduce((total, reply) => total + reply[field], 0);
  const servers = { expected: 1 + (elsewhere?.expected ?? 0), answered: replies.length };
  return {
    delivered: sum('delivered'),
    filtered: sum('filtered'),
    failed: sum('failed'),
    servers,
    complete: elsewhere !== undefined && servers.answered >= servers.expected,
  };
}

export function connectionResultOf(report: PushReport): ConnectionPushResult {
  if (report.delivered > 0) return 'delivered';
  if (report.filtered > 0) return 'filtered';
  if (report.failed > 0) return 'send_failed';
  return report.complete ? 'not_connected' : 'unknown';
}
