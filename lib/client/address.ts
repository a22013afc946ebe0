import { ClientErrorCode, LoopClientError } from './client-errors.js';

const WEB_SOCKET_SCHEME: Readonly<Record<string, string>> = {
  'http:': 'ws:',
  'https:': 'wss:',
  'ws:': 'ws:',
  'wss:': 'wss:',
};

/** The address to dial: absolute, with a WebSocket scheme, and in the query the connection's id and whether it resumes. */
export function socketAddress(url: string, connectionId: string, resumes = false): string {
  const address = parseUrl(url);
  const scheme = WEB_SOCKET_SCHEME[address.protocol];
  if (scheme === undefined) throw badUrl(url);
  address.protocol = scheme;
  address.hash = '';
  address.searchParams.set('connectionId', connectionId);
  if (resumes) address.searchParams.set('resume', '1');
  return address.href;
}

/** An id that no other tab or process has. Not `crypto.randomUUID`: pages without TLS do not have it. */
export function randomConnectionId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function parseUrl(url: string): URL {
  try {
    return new URL(url, (globalThis as { location?: { href: string } }).location?.href);
  } catch {
    throw badUrl(url);
  }
}

function badUrl(url: string): LoopClientError {
  return new LoopClientError(
    ClientErrorCode.BadOption,
    `"${url}" is no address of a server: use one such as "wss://app.example/ws", or in a browser a path such as "/ws".`,
  );
}
