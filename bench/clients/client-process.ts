/* All clients of one server, in a process of their own. */
import type { WireFormat } from '../peers/index.js';
import { within } from '../../lib/util/within.js';
import { inboundEvent } from '../peers/peer.js';
import { monotonicMs } from '../support/monotonic-clock.js';
import { type Percentiles, percentilesOf } from '../support/percentiles.js';
import { type ProcessUsage, usageOfThisProcess } from '../support/process-usage.js';
import { serve } from '../support/remote.js';
import { CountingClient, timeIn } from './counting-client.js';
import { FORMATS } from './wire-format.js';

/** In which whatever was published must have arrived. */
const DEADLINE_MS = 60_000;

/** Connections that are opened at once. */
const AT_ONCE = 50;

export interface OpenOrder {
  readonly port: number;
  readonly format: WireFormat;
  readonly connections: number;
  /** Number of the last event that was published before. */
  readonly after: number;
}

export interface ReceiveOrder {
  /** Number of an event. */
  readonly n: number;
  /** Indices of the clients that get it. */
  readonly only: readonly number[];
}

/** Handlers that are asked in turn. */
const HANDLERS_USED = 5;
const REQUEST = { text: 'Good morning', to: 'everybody', at: 1_700_000_000_000 };

let clients: CountingClient[] = [];
let problem: string | undefined;
let left = 0;
let target = Infinity;
let reached: () => void = () => {};

const listener = {
  broken(text: string): void {
    problem ??= text;
    reached();
  },
  event(n: number, bytes: Buffer, at: number): void {
    ages?.push(monotonicMs() - timeIn(bytes, at));
    if (n === target && --left === 0) reached();
  },
};

/** Ages of events when they arrived, in milliseconds; absent while nobody asks for them. */
let ages: number[] | undefined;

function throwIfBroken(): void {
  if (problem !== undefined) throw new Error(problem);
}

function missing(n: number, only: readonly number[]): never {
  const waiting = only.filter((at) => clients[at]!.last < n);
  const [first] = waiting;
  throw new Error(
    `${waiting.length} clients still wait for event ${n}; client ${first} has had ${clients[first!]!.last}.`,
  );
}

const service = {
  /** Opens that many more, each of an account of its own. */
  async open({ port, format, connections, after }: OpenOrder): Promise<void> {
    const first = clients.length;
    const opened: CountingClient[] = [];
    const next = async (): Promise<void> => {
      while (opened.length < connections) {
        const at = opened.push(undefined!) - 1;
        const token = `account${first + at}`;
        opened[at] = await CountingClient.open({ port, token, after }, FORMATS[format], listener);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    clients.push(...opened);
  },

  /** Resolves when each of them has had the event, and all before it. Rejects when one has not. */
  async untilReceived({ n, only }: ReceiveOrder): Promise<void> {
    target = n;
    left = only.filter((at) => clients[at]!.last < n).length;
    if (left > 0 && problem === undefined) {
      const all = new Promise<void>((resolve) => (reached = resolve));
      await within(all, DEADLINE_MS, () => missing(n, only));
    }
    throwIfBroken();
  },

  /** Rejects when a client has had anything else than every event that was for it, in order. */
  async verify(lasts: readonly (readonly [client: number, last: number])[]): Promise<void> {
    throwIfBroken();
    const wrong = lasts.find(([client, last]) => clients[client]!.last !== last);
    if (wrong === undefined) return;
    const [client, last] = wrong;
    throw new Error(
      `Client ${client} has had event ${clients[client]!.last}, its last was ${last}.`,
    );
  },

  /** From now on it is noted how old each event is when it arrives. */
  async startWatching(): Promise<void> {
    ages = [];
  },

  /** How old they were. */
  async stopWatching(): Promise<Percentiles> {
    const watched = Float64Array.from(ages!);
    ages = undefined;
    return percentilesOf(watched);
  },

  /** The first clients, so many, stop reading. */
  async stopReading(count: number): Promise<void> {
    for (const client of clients.slice(0, count)) client.stopReading();
  },

  /** Each client sends so many events in one write. */
  async request(atOnce: number): Promise<void> {
    for (const [at, client] of clients.entries()) {
      client.send(inboundEvent(at % HANDLERS_USED), REQUEST, atOnce);
    }
  },

  async usage(): Promise<ProcessUsage> {
    return usageOfThisProcess();
  },

  async close(): Promise<void> {
    for (const client of clients) client.end();
    clients = [];
  },
};

export type ClientProcess = typeof service;

serve(service);
