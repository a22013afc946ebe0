/* One server, in a process of its own. */
import { setImmediate as turn } from 'node:timers/promises';
import { type ProcessUsage, usageOfThisProcess } from '../support/process-usage.js';
import { serve } from '../support/remote.js';
import { type PeerName, PEERS } from './index.js';
import type { Peer, PeerEvent, PeerOptions } from './peer.js';

export interface Publication {
  /** Turns of the event loop in which something is published. */
  readonly ticks: number;
  /** Events of each of them. */
  readonly perTick: number;
  /** About how long an event is on the wire. */
  readonly bytes: number;
  /** Number of the first event; it grows by one with each. */
  readonly first: number;
  /** Default: everyone. */
  readonly account?: string;
}

/** Bytes of an event without its padding. */
const WITHOUT_PADDING = 62;

let peer: Peer;

const service = {
  /** Resolves with its port. */
  async start({ name, options }: { name: PeerName; options: PeerOptions }): Promise<number> {
    const startPeer = await PEERS[name].load();
    peer = await startPeer(options);
    return peer.port;
  },

  async publish({ ticks, perTick, bytes, first, account }: Publication): Promise<void> {
    const pad = 'x'.repeat(Math.max(0, bytes - WITHOUT_PADDING));
    let n = first;
    for (let tick = 0; tick < ticks; tick++) {
      for (let at = 0; at < perTick; at++)
        publishOne({ n: String(n++).padStart(8, '0'), pad }, account);
      await turn();
    }
  },

  async handled(): Promise<number> {
    return peer.handled;
  },

  async usage(): Promise<ProcessUsage> {
    return usageOfThisProcess();
  },

  /** After everything that can be collected was. */
  async usageAtRest(): Promise<ProcessUsage> {
    for (let round = 0; round < 3; round++) {
      globalThis.gc!();
      await turn();
    }
    return usageOfThisProcess();
  },
};

export type PeerProcess = typeof service;

function publishOne(event: PeerEvent, account: string | undefined): void {
  if (account === undefined) peer.publishToAll(event);
  else peer.publishToAccount(account, event);
}

serve(service);
