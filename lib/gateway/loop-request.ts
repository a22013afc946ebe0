import type { IncomingHttpHeaders } from 'node:http';
import { BEARER_SUBPROTOCOL_PREFIX } from '../protocol/subprotocol.js';

/** An upgrade request, as `authenticate` sees it. */
export interface LoopRequest {
  /** Headers of the upgrade. When a client refreshes its credentials, `authorization` is that of the new token. */
  readonly headers: IncomingHttpHeaders;
  /** Path and query as they were requested. */
  readonly url: string;
  readonly query: URLSearchParams;
  /** The token of `Authorization: Bearer …` or of the subprotocol `bearer.…`; absent when there is none. */
  readonly token: string | undefined;
  /** Address of the peer; that of the proxy when there is one. */
  readonly remoteAddress: string | undefined;
}

/** The stream of a request, which knows who is on its other side. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
}

interface RawRequest {
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Peer;
}

export function toLoopRequest({ url = '/', headers, socket }: RawRequest): LoopRequest {
  return {
    headers,
    url,
    query: queryOf(url),
    token: bearerOf(headers),
    /** A stream that was asked keeps the answer as objects, so it is asked only when the application wants to know. */
    get remoteAddress() {
      return socket.remoteAddress;
    },
  };
}

/** A query may contain further question marks. */
function queryOf(url: string): URLSearchParams {
  const mark = url.indexOf('?');
  return new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1));
}

/** The client says where it was before it gets anything durable. */
export function wantsToResume({ query }: LoopRequest): boolean {
  return query.get('resume') === '1';
}

/** The same request with other credentials. */
export function withToken(request: LoopRequest, token: string): LoopRequest {
  const { 'sec-websocket-protocol': _offered, ...headers } = request.headers;
  return { ...request, token, headers: { ...headers, authorization: `Bearer ${token}` } };
}

/** Subprotocols that the client offers, in its order. */
export function offeredSubprotocols(headers: IncomingHttpHeaders): string[] {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  const fromHeader = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (fromHeader !== undefined) return fromHeader;
  return offeredSubprotocols(headers)
    .filter((name) => name.startsWith(BEARER_SUBPROTOCOL_PREFIX))
    .map((name) => name.slice(BEARER_SUBPROTOCOL_PREFIX.length))
    .find((token) => token !== '');
}
