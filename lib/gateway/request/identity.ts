import { randomUUID } from 'node:crypto';
import { LoopWsError } from '../../loop-ws.errors.js';
import type { LoopIdentity } from '../../loop-ws.options.js';
import { shown } from '../../util/shown.js';
import type { LoopRequest } from './loop-request.js';

/** The identity of a connection, with defaults filled in. */
export interface Identity {
  readonly accountId: string;
  readonly connectionId: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** In milliseconds since the Unix epoch; `undefined` when the credentials do not expire. */
  readonly expiresAt: number | undefined;
}

/**
 * Control characters break logs and keys. U+FFFD replaces malformed UTF-8, so different ids would become the same. A
 * lone surrogate, which {@link isSafeId} refuses too, cannot be written as UTF-8.
 */
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\ufffd]/;

export function isSafeId(id: unknown, maxLength: number): id is string {
  return (
    typeof id === 'string' &&
    id.length > 0 &&
    id.length <= maxLength &&
    !UNSAFE.test(id) &&
    id.isWellFormed()
  );
}

const NO_CLAIMS = Object.freeze({});

/** Checks what `authenticate` returned. Throws a {@link LoopWsError} that tells the developer what is wrong with it. */
export function completeIdentity(
  found: LoopIdentity,
  request: LoopRequest,
  maxIdLength: number,
): Identity {
  const connectionId = found.connectionId ?? request.query.get('connectionId') ?? randomUUID();
  requireId('accountId', found.accountId, maxIdLength);
  requireId('connectionId', connectionId, maxIdLength);
  return {
    accountId: found.accountId,
    connectionId,
    claims: found.claims === undefined ? NO_CLAIMS : Object.freeze({ ...found.claims }),
    expiresAt: readExpiry(found.expiresAt),
  };
}

function requireId(field: string, id: unknown, maxLength: number): void {
  if (isSafeId(id, maxLength)) return;
  throw new LoopWsError(
    `authenticate returned the ${field} ${shown(id)}; it must be a string of 1 to ${maxLength} ` +
      'characters without control characters.',
  );
}

function readExpiry(expiresAt: Date | number | undefined): number | undefined {
  if (expiresAt === undefined) return undefined;
  const time = Number(expiresAt);
  if (Number.isFinite(time)) return time;
  throw new LoopWsError(
    'authenticate returned an invalid expiresAt; return a Date or milliseconds since 1970.',
  );
}
