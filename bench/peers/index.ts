import type { StartPeer } from './peer.js';

/** Peers by name. Each is loaded in the process that runs it, so that none pays for another one's memory. */
export const PEERS = {
  loopws: {
    format: 'loopws',
    load: async () => (await import('./loopws.js')).start,
  },
  'loopws, results': {
    format: 'loopws',
    load: async () => (await import('./loopws.js')).startWithResults,
  },
  ws: {
    format: 'json',
    load: async () => (await import('./ws-loop.js')).start,
  },
  'node:net': {
    format: 'json',
    load: async () => (await import('./net-loop.js')).start,
  },
  'ioredis + ws': {
    format: 'loopws',
    load: async () => (await import('./redis-loop.js')).start,
  },
  'nest-ws': {
    format: 'json',
    load: async () => (await import('./nest-ws.js')).start,
  },
  'socket.io': {
    format: 'socket.io',
    load: async () => (await import('./nest-socket-io.js')).start,
  },
  'socket.io classic': {
    format: 'socket.io',
    load: async () => (await import('./socket-io-adapters.js')).startClassic,
  },
  'socket.io sharded': {
    format: 'socket.io',
    load: async () => (await import('./socket-io-adapters.js')).startSharded,
  },
  'socket.io streams': {
    format: 'socket.io',
    load: async () => (await import('./socket-io-adapters.js')).startStreams,
  },
} as const satisfies Readonly<Record<string, PeerEntry>>;

interface PeerEntry {
  /** How events look on the wire, for the clients. */
  readonly format: WireFormat;
  load(): Promise<StartPeer>;
}

export type WireFormat = 'loopws' | 'json' | 'socket.io';

export type PeerName = keyof typeof PEERS;
