/* All clients of one server, in a process of their own. */
import type { WireFormat } from '../peers/index.js';
import { type ProcessUsage, usageOfThisProcess } from '../support/process-usage.js';
import { serve } from '../support/remote.js';
import { CountingClient } from './counting-client.js';
import { FORMATS } from './wire-format.js';

/** Connections that are opened at once. */
const AT_ONCE = 50;

export interface OpenOrder {
  readonly port: number;
  readonly format: WireFormat;
  readonly connections: number;
  /** Number of the last event that was published before. */
  readonly after: number;
}

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
  event(n: number): void {
    if (n === target && --left === 0) reached();
  },
};

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

  /** Resolves when every client has had the event with this number, and all before it. Rejects when one has not. */
  async untilReceived(n: number): Promise<void> {
    target = n;
    left = clients.filter(({ last }) => last < n).length;
    if (left > 0 && problem === undefined)
      await new Promise<void>((resolve) => (reached = resolve));
    if (problem !== undefined) throw new Error(problem);
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
