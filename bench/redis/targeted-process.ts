/* Hosts servers of several clusters in one process, and pushes from them. */
import { setTimeout as delay } from 'node:timers/promises';
import { serve } from '../support/remote.js';
import { BusServer, type BusServerOptions, type Received } from './bus-server.js';

/** Pushes of one turn of the event loop, all awaited, and the pause until the next. */
export interface Load {
  readonly burst: number;
  /** In milliseconds; 0 for none. */
  readonly pauseMs: number;
  /** Default `chat:message`. */
  readonly event?: `${string}:${string}`;
}

export interface PushOrder extends Load {
  readonly serverId: string;
  readonly accounts: readonly string[];
  readonly forMs: number;
}

export interface ProcessUsage extends Received {
  readonly cpuMicros: number;
}

const servers = new Map<string, BusServer>();

const service = {
  async start(options: BusServerOptions): Promise<void> {
    servers.set(options.serverId, await BusServer.start(options));
  },

  /** Resolves with how many pushes were made. Rejects when one of them was not delivered. */
  async push({ serverId, accounts, forMs, burst, pauseMs, event }: PushOrder): Promise<number> {
    const { bus } = servers.get(serverId)!;
    const until = performance.now() + forMs;
    let pushes = 0;
    while (performance.now() < until) {
      const targets = Array.from({ length: burst }, () => accounts[pushes++ % accounts.length]!);
      await Promise.all(targets.map((account) => pushOnce(bus, account, event)));
      if (pauseMs > 0) await delay(pauseMs);
    }
    return pushes;
  },

  async usage(): Promise<ProcessUsage> {
    const { user, system } = process.cpuUsage();
    const received = [...servers.values()].map((server) => server.received);
    return {
      cpuMicros: user + system,
      messages: received.reduce((sum, { messages }) => sum + messages, 0),
      bytes: received.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  },
};

export type TargetedProcess = typeof service;

async function pushOnce(
  bus: BusServer['bus'],
  account: string,
  event: Load['event'] = 'chat:message',
): Promise<void> {
  const report = await bus.pushToAccount(account, event, { text: 'Good morning' });
  if (report.delivered === 1 && report.complete) return;
  throw new Error(`A push was not delivered: ${JSON.stringify(report)}`);
}

serve(service);
