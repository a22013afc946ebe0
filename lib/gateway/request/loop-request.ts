import type { IncomingHttpHeaders } from 'node:http';
import { BEARER_SUBPROTOCOL_PREFIX } from '../../protocol/subprotocol.js';

/** An upgrade request, as `authenticate` sees it. */
export interface LoopRequest {
  /** Headers of the upgrade request. When a client refreshes its credentials, `authorization` carries the new token. */
  readonly headers: IncomingHttpHeaders;
  /** Path and query as requested. */
  readonly url: string;
  readonly query: URLSearchParams;
  /** The token from `Authorization: Bearer …` or from the subprotocol `bearer.…`; `undefined` when there is none. */
  readonly token: string | undefined;
  /** IP address of the peer, or of the proxy in front of this server. */
  readonly remoteAddress: string | undefined;
}

/** The request's stream, which knows the address of its peer. */
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
    /** Read on demand, because a stream that is asked for its address keeps the answer in memory as objects. */
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

/** Whether the client will send its positions before it receives any durable event. */
export function wantsToResume({ query }: LoopRequest): boolean {
  return query.get('resume') === '1';
}

/** The same request with another token. */
export function withToken(request: LoopRequest, token: string): LoopRequest {
  const { 'sec-websocket-protocol': _offered, ...headers } = request.headers;
  return { ...request, token, headers: { ...headers, authorization: `Bearer ${token}` } };
}

/** Subprotocols that the client offers, in the client's order. */
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
