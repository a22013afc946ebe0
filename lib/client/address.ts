import { BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL } from '../protocol/subprotocol.js';
import { clientError } from './client-errors.js';

/** Characters of an HTTP token (RFC 9110, section 5.6.2): a subprotocol can carry no others. */
const SUBPROTOCOL_TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

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
  throw clientError(
    'bad_option',
    `"${url}" is no address of a server: use one such as "wss://app.example/ws".`,
  );
}

/** An id that no other tab or process has. Not `crypto.randomUUID`: pages without TLS do not have it. */
export function randomConnectionId(): string {
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The subprotocols to offer: a browser cannot set headers, so the token is one of them. */
export function subprotocolsFor(token: string | undefined): string[] {
  if (!token) return [SUBPROTOCOL];
  if (SUBPROTOCOL_TOKEN.test(token)) return [SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + token];
  throw clientError(
    'bad_option',
    'A subprotocol cannot carry the token: use base64url, without "=" and "/".',
  );
}
