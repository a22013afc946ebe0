/** The subprotocol of this protocol version. A client that offers none is taken as v1. */
export const SUBPROTOCOL = 'loopws.v1';

/** A browser cannot set headers, so its token travels as a second offered subprotocol. Never echoed, never logged. */
export const BEARER_SUBPROTOCOL_PREFIX = 'bearer.';

/** Whether a peer that offers these subprotocols can be spoken to. */
export function acceptsSubprotocols(offered: Iterable<string>): boolean {
  const protocols = [...offered].filter((name) => !name.startsWith(BEARER_SUBPROTOCOL_PREFIX));
  return protocols.length === 0 || protocols.includes(SUBPROTOCOL);
}
