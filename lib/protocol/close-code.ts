/**
 * Close codes of `loopws.v1`. The number carries the reconnect rule: 44xx means come back with backoff, 45xx means do
 * not; the last two digits mirror the HTTP status of the same meaning.
 */
export const CloseCode = {
  /** The client left, or the application closed an idle connection. */
  Normal: 1000,
  /** The peer is going away: a page that unloads, a server that stops. */
  GoingAway: 1001,
  /** A frame was longer than `maxPayload`, or in too many fragments. */
  FrameTooLarge: 1009,
  /** The server failed while it opened the connection. */
  InternalError: 1011,
  /** The server is leaving; another one, or its next life, will answer. */
  ServerLeaving: 1012,
  /** The server cannot take the connection right now. */
  TryAgainLater: 1013,
  /** Nothing was heard for a whole heartbeat after a ping. */
  HeartbeatLost: 4408,
  /** The reader is too slow: its outgoing queue passed `maxQueueBytes`. */
  ReaderTooSlow: 4413,
  /** More frames than the rate allows. */
  OverTheRate: 4429,
  /** The peer does not speak the protocol. */
  NotTheProtocol: 4500,
  /** Credentials expired or were revoked. */
  CredentialsExpired: 4501,
  /** The application refuses this connection. */
  Forbidden: 4503,
  /** A newer connection with the same identity took over. */
  Replaced: 4509,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** Longest close reason in bytes: a control frame holds 125, two of them the code (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * Whether a client should come back after this code. 45xx is final; every other code, unknown ones included, is worth
 * a retry, because a kick without a reason must not silence a client for good.
 */
export function shouldReconnect(code: number): boolean {
  return code < 4500 || code > 4599;
}

/** Codes that an endpoint may send: 1000–1003, 1007–1014 and the application's own 3000–4999 (RFC 6455, section 7.4). */
export function isSendableCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
}

/** Cuts a close reason to what a close frame can hold, never in the middle of a character. */
export function truncateReason(reason: string): string {
  const encoder = new TextEncoder();
  let bytes = 0;
  let end = 0;
  for (const character of reason) {
    bytes += encoder.encode(character).length;
    if (bytes > MAX_REASON_BYTES) return reason.slice(0, end);
    end += character.length;
  }
  return reason;
}
