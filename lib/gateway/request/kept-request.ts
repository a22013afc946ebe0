import type { IncomingHttpHeaders } from 'node:http';
import { type LoopRequest, type Peer, toLoopRequest, withToken } from './loop-request.js';

/**
 * The part of an upgrade request that is kept as long as its connection lives: `authenticate` sees it again when the
 * client refreshes its credentials. It is one string, because the headers as objects would take three times the memory,
 * and it leaves out the old token.
 */
export class KeptRequest {
  private readonly text: string;

  constructor(
    { url, headers }: LoopRequest,
    private readonly peer: Peer,
  ) {
    const { authorization: _, 'sec-websocket-protocol': __, ...others } = headers;
    this.text = JSON.stringify([url, others]);
  }

  /** The same request with another token. */
  withToken(token: string): LoopRequest {
    const [url, headers] = JSON.parse(this.text) as [string, IncomingHttpHeaders];
    return withToken(toLoopRequest({ url, headers, socket: this.peer }), token);
  }
}
