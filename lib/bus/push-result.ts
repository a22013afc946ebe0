import type { LoopTransportFailure } from '../loop-ws.errors.js';
import type { ServerReply, TransportReceipt } from '../transport/transport-message.js';

/**
 * The outcome of a push to one connection.
 *
 * - `delivered`: its bounded queue took the frame. To prove that the client application has it, use `EventBus.ask`.
 * - `filtered`: it is connected, but none of its subscriptions matches, or `except` names it.
 * - `not_connected`: it is connected to no server.
 * - `send_failed`: it did not take the frame, because its reader is too slow, because its socket is closing, or because
 *   the `ttlMs` of the push had passed when its turn came.
 * - `unknown`: there is no proof, because a server did not answer in time or was not asked; or, for a durable push,
 *   because earlier events are still on their way to the connection.
 */
export type ConnectionPushResult =
  'delivered' | 'filtered' | 'not_connected' | 'send_failed' | 'unknown';

/** Why it is unknown what all servers did. */
export type IncompleteReason =
  /** `receipt: false`: the other servers were not awaited. */
  | 'no_receipt'
  /** A server that had to answer did not, does not know yet, or may be unable to hear right now. */
  | 'unanswered'
  /** The other servers were not asked, or possibly not; see `LoopTransportFailure`. */
  | LoopTransportFailure
  /** The transport failed in another way; the error is in the log. */
  | 'failed';

/** Whether every server that had to answer has answered. */
type Completeness =
  { readonly complete: true } | { readonly complete: false; readonly why: IncompleteReason };

/** The outcome of a push to many connections. The counts are proven; if `complete` is false, there may be more. */
export type PushReport = PushCounts & Completeness;

export interface PushCounts {
  /** Connections whose queue took the frame. */
  readonly delivered: number;
  /** Connections that the push was for, but that have no subscription that matches. Always 0 for a channel. */
  readonly filtered: number;
  /** Connections that could not take the frame. */
  readonly failed: number;
  /** Servers known to have to answer, this one included, and those that answered in time. */
  readonly servers: { readonly expected: number; readonly answered: number };
  /** For a durable push: its position in the history of its topic, which also proves that it is kept. */
  readonly position?: string;
}

/** How many connections were closed. */
export type DisconnectReport = { readonly closed: number } & Completeness;

export const NOTHING_ELSEWHERE: TransportReceipt = { expected: 0, replies: [] };

/** What other servers did, or why that is unknown. */
export type Elsewhere = TransportReceipt | { readonly why: IncompleteReason };

/** The part of it that is proven. */
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
