import type { IncomingHttpHeaders } from 'node:http';
import { type LoopRequest, type Peer, toLoopRequest, withToken } from './loop-request.js';

/**
 * What is kept of an upgrade for as long as its connection lives: `authenticate` sees it again when the client refreshes
 * its credentials. One text, because the headers as objects would be three times as large; and without the old token.
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

  /** The same request with other credentials. */
  withToken(token: string): LoopRequest {
    const [url, headers] = JSON.parse(this.text) as [string, IncomingHttpHeaders];
    return withToken(toLoopRequest({ url, headers, socket: this.peer }), token);
  }
}
