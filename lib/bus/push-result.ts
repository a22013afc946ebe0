import type { LoopTransportFailure } from '../loop-ws.errors.js';
import type { ServerReply, TransportReceipt } from '../transport/transport-message.js';

/**
 * What became of a push to one connection.
 *
 * - `delivered`: its bounded queue took the frame. Proof that the application there has it is `EventBus.ask`.
 * - `filtered`: it is connected, and none of its subscriptions matches, or `except` names it.
 * - `not_connected`: it is connected nowhere.
 * - `send_failed`: it did not take the frame, because its reader is too slow, because its socket is closing, or because
 *   the push was past its `ttlMs` when its turn came.
 * - `unknown`: there is no proof, because a server did not answer in time or was not asked; or, of a durable push, because
 *   what was before it is still on its way to the connection.
 */
export type ConnectionPushResult =
  'delivered' | 'filtered' | 'not_connected' | 'send_failed' | 'unknown';

/** Why nobody can tell what all servers did. */
export type IncompleteReason =
  /** `receipt: false`: nobody waited for the others. */
  | 'no_receipt'
  /** A server that had to answer did not or could not tell yet, or may be one that cannot hear right now. */
  | 'unanswered'
  /** The other servers were not asked, or may not have been; see `LoopTransportFailure`. */
  | LoopTransportFailure
  /** The transport failed in a way of its own, which is in the log. */
  | 'failed';

/** Whether every server that had to answer did. */
type Completeness =
  { readonly complete: true } | { readonly complete: false; readonly why: IncompleteReason };

/** What became of a push to many. The counts are proven; when `complete` is false there may be more. */
export type PushReport = PushCounts & Completeness;

export interface PushCounts {
  /** Connections whose queue took the frame. */
  readonly delivered: number;
  /** Connections that were meant, and hold no subscription that matches. Always 0 for a channel. */
  readonly filtered: number;
  /** Connections that could not take it. */
  readonly failed: number;
  /** Servers that had to answer as far as is known, this one included, and those that did in time. */
  readonly servers: { readonly expected: number; readonly answered: number };
  /** Of a durable push: its place in the history of its topic, and with it the proof that it is kept. */
  readonly position?: string;
}

/** How many connections were closed. */
export type DisconnectReport = { readonly closed: number } & Completeness;

export const NOTHING_ELSEWHERE: TransportReceipt = { expected: 0, replies: [] };

/** What other servers did, or why nobody can tell. */
export type Elsewhere = TransportReceipt | { readonly why: IncompleteReason };

/** What is proven of it. */
export function receiptIn(elsewhere: Elsewhere): TransportReceipt {
  return 'why' in elsewhere ? NOTHING_ELSEWHERE : elsewhere;
}

export function reportOf(here: ServerReply, elsewhere: Elsewhere): PushReport {
  const receipt = receiptIn(elsewhere);
  const replies = [here, ...receipt.replies];
  const sum = (field: 'delivered' | 'filtered' | 'failed'): number =>
    replies.reduce((total, reply) => total + reply[field], 0);
  const servers = { expected: 1 + receipt.expected, answered: replies.length };
  const haveAllAnswered =
    servers.answered >= servers.expected && !replies.some(({ isOpen }) => isOpen);
  return {
    delivered: sum('delivered'),
    filtered: sum('filtered'),
    failed: sum('failed'),
    servers,
    ...completenessOf(elsewhere, haveAllAnswered),
  };
}

export function disconnectReportOf(closed: number, elsewhere: Elsewhere): DisconnectReport {
  const report = reportOf({ delivered: closed, filtered: 0, failed: 0 }, elsewhere);
  const { delivered, complete } = report;
  return complete
    ? { closed: delivered, complete }
    : { closed: delivered, complete, why: report.why };
}

function completenessOf(elsewhere: Elsewhere, allAnswered: boolean): Completeness {
  if ('why' in elsewhere) return { complete: false, why: elsewhere.why };
  return allAnswered ? { complete: true } : { complete: false, why: 'unanswered' };
}

export function connectionResultOf(report: PushReport): ConnectionPushResult {
  if (report.delivered > 0) return 'delivered';
  if (report.filtered > 0) return 'filtered';
  if (report.failed > 0) return 'send_failed';
  return report.complete ? 'not_connected' : 'unknown';
}
