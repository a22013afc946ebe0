/**
 * Close codes of `loopws.v1`. The number carries the reconnect rule: after 44xx come back with backoff, after 45xx do
 * not. In both ranges the last two digits mirror the HTTP status with the same meaning.
 */
export const CloseCode = {
  /** The client left, or the application closed the connection without naming another code. */
  Normal: 1000,
  /** The peer is going away: a page that unloads, a server that stops. */
  GoingAway: 1001,
  /** A message was longer than `maxPayload`. (One with too many fragments closes the connection with 1008.) */
  FrameTooLarge: 1009,
  /** The server failed while opening the connection. */
  InternalError: 1011,
  /** The server is leaving; another server, or this one after its restart, will take the connection. */
  ServerLeaving: 1012,
  /** The server cannot take the connection right now. */
  TryAgainLater: 1013,
  /** Nothing was received for a whole heartbeat interval after a ping. */
  HeartbeatLost: 4408,
  /** The reader is too slow: its outgoing queue exceeded `maxQueueBytes`. */
  ReaderTooSlow: 4413,
  /** The client sent more frames than the rate allows. */
  OverTheRate: 4429,
  /** The peer does not speak the protocol. */
  NotTheProtocol: 4500,
  /** Credentials expired or were revoked. */
  CredentialsExpired: 4501,
  /** The application refused this connection. */
  Forbidden: 4503,
  /** A newer connection with the same identity took over. */
  Replaced: 4509,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** Longest close reason in bytes: a control frame holds 125, of which the code takes two (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * Whether a client should come back after this code. 45xx is final. Every other code, unknown ones included, is worth a
 * retry, because a close without an explanation must not silence a client forever.
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

/** Truncates a close reason to what a close frame can hold, never in the middle of a character. */
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
