import { requireIds } from '../connections/require-ids.js';
import { LoopPushError } from '../loop-ws.errors.js';
import type { ConnectionRef, PushMessage } from '../transport/transport-message.js';
import { requireDuration } from './outgoing-event.js';

export interface PushOptions {
  /**
   * Deduplicates pushes with the same `id`, event name and target within `idempotencyWindowMs`: a repetition gets the
   * first result. A push that reached nobody may be repeated under its id, except one to a channel. Without history,
   * each server remembers ids by itself, so a connection that has moved to another server may get a repetition. The
   * repetition of a durable push gets the position of the first; its outcome is no longer known, so the result is
   * `unknown`, and a report is incomplete.
   */
  readonly id?: string;
  /**
   * Connections to leave out. A bare `connectionId` leaves out that connection of every account. They are not counted
   * in a report; `pushToConnection` returns `filtered` if its own target is left out.
   */
  readonly except?: readonly (string | ConnectionRef)[];
  /**
   * A frame that could not be written within this time, in milliseconds, is dropped. Above 0 and at most 2 147 483 647.
   * Default `config.pushTtlMs`. A durable push that Redis could not store within this time is not kept; once it has its
   * position, the limit no longer applies.
   */
  readonly ttlMs?: number;
  /** `false`: do not wait for other servers. The result covers only this server and is not complete. Default true. */
  readonly receipt?: boolean;
}

/** The options that are sent with the push. Throws a {@link LoopPushError} for a value that cannot be sent. */
export function messageOptions(
  pushTtlMs: number,
  { id, except, ttlMs = pushTtlMs }: PushOptions,
): Pick<PushMessage, 'id' | 'except' | 'ttlMs'> {
  if (id !== undefined && typeof id !== 'string') {
    throw new LoopPushError(`id is of type ${typeof id}; pass a string, for example String(id).`);
  }
  if (except !== undefined && !Array.isArray(except)) {
    throw new LoopPushError(`except is of type ${typeof except}; pass an array of connections.`);
  }
  requireDuration('ttlMs', ttlMs);
  return {
    ttlMs,
    ...(id === undefined ? {} : { id }),
    ...(except === undefined ? {} : { except: except.map(plainException) }),
  };
}

/** A live connection may be passed as an exception, but only its ids can be sent. */
function plainException(one: string | ConnectionRef): string | ConnectionRef {
  if (typeof one === 'string') return one;
  const { accountId, connectionId } = one ?? {};
  requireIds({ accountId, connectionId });
  return { accountId, connectionId };
}
