/** The subprotocol of this protocol version. A client that offers none is treated as v1. */
export const SUBPROTOCOL = 'loopws.v1';

/**
 * A browser cannot set headers, so its token travels as a second offered subprotocol, which is never echoed or logged.
 */
export const BEARER_SUBPROTOCOL_PREFIX = 'bearer.';

/** Whether this server can talk to a peer that offers these subprotocols. */
export function acceptsSubprotocols(offered: Iterable<string>): boolean {
  const protocols = [...offered].filter((name) => !name.startsWith(BEARER_SUBPROTOCOL_PREFIX));
  return protocols.length === 0 || protocols.includes(SUBPROTOCOL);
}
