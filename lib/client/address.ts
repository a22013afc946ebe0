import { BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL } from '../protocol/subprotocol.js';
import { clientError } from './client-errors.js';

/** The characters of a token that a subprotocol can carry: an HTTP token has a few more (RFC 9110, section 5.6.2). */
const SUBPROTOCOL_TOKEN = /^[\w.~+-]+$/;

/**
 * The address to connect to: absolute, with a WebSocket scheme, and with the connection's id and whether it resumes in
 * the query.
 */
export function socketAddress(url: string, connectionId: string, resumes = false): string {
  try {
    const address = new URL(url, (globalThis as { location?: { href: string } }).location?.href);
    address.protocol = address.protocol.replace('http', 'ws');
    address.hash = '';
    address.searchParams.set('connectionId', connectionId);
    if (resumes) address.searchParams.set('resume', '1');
    if (/^wss?:/.test(address.href)) return address.href;
  } catch {
    // It is not a valid URL.
  }
  throw clientError('bad_option', 'url', url);
}

/** A random id that no other tab or process has. It does not use `crypto.randomUUID`, which pages without TLS lack. */
export function randomConnectionId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}

/** The subprotocols to offer: a browser cannot set headers, so the token is one of them. */
export function subprotocolsFor(token: string | undefined): string[] {
  if (!token) return [SUBPROTOCOL];
  if (SUBPROTOCOL_TOKEN.test(token)) return [SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + token];
  throw clientError('bad_option', 'token', 'characters');
}
