import { requireTexts } from '../connections/require-texts.js';
import { LoopPushError } from '../loop-ws.errors.js';
import type { ConnectionRef, PushMessage } from '../transport/transport-message.js';
import { requireDuration } from './outgoing-event.js';

export interface PushOptions {
  /**
   * Makes repeated pushes to the same target one, within `idempotencyWindowMs`: the repetition gets the first result.
   * A push that reached nobody may be repeated under its id. The repetition of a durable push gets the position of the
   * first; what became of that one is not known any more, so it is `unknown`, and a report is not complete.
   */
  readonly id?: string;
  /**
   * Connections to leave out. A bare `connectionId` leaves out that connection of every account. They are in no count of
   * a report; `pushToConnection` says `filtered` when it leaves out the very connection that it is for.
   */
  readonly except?: readonly (string | ConnectionRef)[];
  /**
   * A frame that could not be written for this long, in milliseconds, is dropped. Above 0 and at most 2 147 483 647.
   * Default `config.pushTtlMs`.
   */
  readonly ttlMs?: number;
  /** `false`: do not wait for other servers. The result tells what this server did and is not complete. Default true. */
  readonly receipt?: boolean;
}

/** What of the options travels with the push. Throws a {@link LoopPushError} for a value that could not. */
export function travellingOptions(
  pushTtlMs: number,
  { id, except, ttlMs = pushTtlMs }: PushOptions,
): Pick<PushMessage, 'id' | 'except' | 'ttlMs'> {
  if (id !== undefined && typeof id !== 'string') {
    throw new LoopPushError(`id is of type ${typeof id}; pass a text, for example String(id).`);
  }
  if (except !== undefined && !Array.isArray(except)) {
    throw new LoopPushError(`except is of type ${typeof except}; pass a list of connections.`);
  }
  requireDuration('ttlMs', ttlMs);
  return {
    ttlMs,
    ...(id === undefined ? {} : { id }),
    ...(except === undefined ? {} : { except: except.map(plainException) }),
  };
}

/** A live connection may be passed as an exception, and only its name can travel. */
function plainException(one: string | ConnectionRef): string | ConnectionRef {
  if (typeof one === 'string') return one;
  const { accountId, connectionId } = one ?? {};
  requireTexts({ accountId, connectionId });
  return { accountId, connectionId };
}
