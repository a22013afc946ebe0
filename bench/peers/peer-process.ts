/* One server, in a process of its own. */
import { setImmediate as turn } from 'node:timers/promises';
import { within } from '../../lib/util/within.js';
import { type ProcessUsage, usageOfThisProcess } from '../support/process-usage.js';
import { NUMBER_DIGITS, TIME_DIGITS } from '../clients/counting-client.js';
import { type EventLoopReport, EventLoopWatch } from '../support/event-loop-watch.js';
import { Schedule } from '../support/schedule.js';
import { serve } from '../support/remote.js';
import { type PeerName, PEERS } from './index.js';
import type { Peer, PeerEvent, PeerOptions } from './peer.js';
import { work } from './work.js';

export interface Publication {
  /** How many events each receiver gets. */
  readonly events: number;
  /** Pushes in one turn of the event loop. */
  readonly perTick: number;
  /** From one such turn to the next, in milliseconds. Default 0: as fast as possible. */
  readonly everyMs?: number;
  /** About how long an event is on the wire. */
  readonly bytes: number;
  /** Number of the first event; it grows by one with each. */
  readonly first: number;
  /** Each gets every event, in a push of its own. Default: one push to everyone. */
  readonly accounts?: readonly string[];
}

/** In which every inbound event must have been handled. */
const DEADLINE_MS = 60_000;

/** Bytes of an event without its padding. */
const WITHOUT_PADDING = 83;

let peer: Peer;
let watch: EventLoopWatch | undefined;

const service = {
  /** Resolves with its port. */
  async start({ name, options }: { name: PeerName; options: PeerOptions }): Promise<number> {
    const startPeer = await PEERS[name].load();
    peer = await startPeer(options);
    return peer.port;
  },

  /**
   * By a schedule that does not wait for a server that falls behind: what is late because of it counts as late, since the
   * time of an event is that at which it was due.
   */
  async publish(publication: Publication): Promise<void> {
    const { perTick, everyMs = 0 } = publication;
    const schedule = new Schedule(everyMs);
    let pushed = 0;
    for (const push of pushesOf(publication)) {
      if (pushed > 0 && pushed % perTick === 0) await schedule.next();
      push(schedule.dueMs);
      pushed++;
    }
  },

  async connections(): Promise<number> {
    return peer.connections;
  },

  /** Resolves when so many more inbound events were handled, and rejects when one is too many. */
  async untilHandled(more: number): Promise<void> {
    await within(work.untilDone(more), DEADLINE_MS, () => {
      throw new Error(`${more} events were not handled in ${DEADLINE_MS} ms.`);
    });
  },

  async watchEventLoop(): Promise<void> {
    watch = new EventLoopWatch();
  },

  async eventLoop(): Promise<EventLoopReport> {
    return watch!.end();
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

function* pushesOf({
  events,
  bytes,
  first,
  accounts,
}: Publication): Iterable<(dueMs: number) => void> {
  const pad = 'x'.repeat(Math.max(0, bytes - WITHOUT_PADDING));
  for (let n = first; n < first + events; n++) {
    const event = (dueMs: number): PeerEvent => ({
      n: digits(n, NUMBER_DIGITS),
      t: digits(Math.round(dueMs * 1_000), TIME_DIGITS),
      pad,
    });
    if (accounts === undefined) yield (dueMs) => peer.publishToAll(event(dueMs));
    else
      for (const account of accounts) yield (dueMs) => peer.publishToAccount(account, event(dueMs));
  }
}

function digits(value: number, length: number): string {
  return String(value).padStart(length, '0');
}

serve(service);
