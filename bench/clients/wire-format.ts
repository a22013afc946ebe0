import type { WireFormat } from '../peers/index.js';

/** How a kind of server is talked to. */
export interface Format {
  readonly path: string;
  /** Sent when the socket is open. */
  readonly greeting?: string;
  /** What the first frame after which the connection is ready begins with; absent when it is ready at once. */
  readonly welcome?: string;
  /** What has to be answered, and how. */
  readonly ping?: readonly [ping: string, pong: string];
  inbound(event: string, data: unknown): string;
}

export const FORMATS: Readonly<Record<WireFormat, Format>> = {
  loopws: {
    path: '/ws',
    welcome: '{"op":"welcome"',
    inbound: (event, data) => JSON.stringify({ event, data }),
  },
  json: {
    path: '/ws',
    inbound: (event, data) => JSON.stringify({ event, data }),
  },
  'socket.io': {
    path: '/socket.io/?EIO=4&transport=websocket',
    greeting: '40',
    welcome: '40{',
    ping: ['2', '3'],
    inbound: (event, data) => `42${JSON.stringify([event, data])}`,
  },
};
