import { BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL } from '../protocol/subprotocol.js';
import { clientError } from './client-errors.js';

/** What tokens are made of that a subprotocol can carry: an HTTP token has a few more (RFC 9110, section 5.6.2). */
const SUBPROTOCOL_TOKEN = /^[\w.~+-]+$/;

/** The address to dial: absolute, with a WebSocket scheme, and in the query the connection's id and whether it resumes. */
export function socketAddress(url: string, connectionId: string, resumes = false): string {
  try {
    const address = new URL(url, (globalThis as { location?: { href: string } }).location?.href);
    address.protocol = address.protocol.replace('http', 'ws');
    address.hash = '';
    address.searchParams.set('connectionId', connectionId);
    if (resumes) address.searchParams.set('resume', '1');
    if (/^wss?:/.test(address.href)) return address.href;
  } catch {
    // It is no address at all.
  }
  throw clientError('bad_option', 'url', url);
}

/** An id that no other tab or process has. Not `crypto.randomUUID`: pages without TLS do not have it. */
export function randomConnectionId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}

/** The subprotocols to offer: a browser cannot set headers, so the token is one of them. */
export function subprotocolsFor(token: string | undefined): string[] {
  if (!token) return [SUBPROTOCOL];
  if (SUBPROTOCOL_TOKEN.test(token)) return [SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + token];
  throw clientError('bad_option', 'token', 'characters');
}
