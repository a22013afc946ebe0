import type { ClientProcess } from '../clients/client-process.js';
import type { Percentiles } from '../support/percentiles.js';
import type { ProcessUsage } from '../support/process-usage.js';
import { RedisMeter } from '../support/redis-meter.js';
import { Remote } from '../support/remote.js';
import { type PeerName, PEERS } from './index.js';
import type { PeerOptions } from './peer.js';
import type { PeerProcess, Publication } from './peer-process.js';

/** What a stretch of time has cost. */
export interface Cost {
  /** CPU time of each server, in microseconds. */
  readonly servers: readonly number[];
  readonly redisMicros: number;
  /** Share of the time that the clients' process was running, from 0 to 1. */
  readonly clientsBusy: number;
  readonly ms: number;
}

export interface RigOptions extends Omit<PeerOptions, 'aside'> {
  /** How many servers there are. Default 1. */
  readonly servers?: number;
  /** Which of them has clients that listen aside. Default: none. */
  readonly aside?: number;
}

type Order = Pick<Publication, 'events' | 'perTick' | 'everyMs' | 'bytes'>;

/** How many events, and how fast they follow one another. */
export type Load = Omit<Order, 'bytes'>;

type Reading = readonly [servers: readonly number[], redis: number, clients: number];

/** Servers of one kind and their clients, each server in a process of its own, all clients in another one. */
export class Rig {
  /** Number of the last event of each client. */
  private readonly lasts: number[] = [];
  /** Clients that read no more: the first so many. */
  private stalled = 0;
  /** The busiest that the clients' process was in a measurement, from 0 to 1. */
  clientsBusyAtMost = 0;

  private constructor(
    readonly name: PeerName,
    readonly servers: readonly Remote<PeerProcess>[],
    private readonly ports: readonly number[],
    private readonly clients: Remote<ClientProcess>,
    /** Of the Redis that its servers share, if they do. */
    readonly redis: RedisMeter | undefined,
  ) {}

  static async start(name: PeerName, { servers = 1, aside, ...options }: RigOptions): Promise<Rig> {
    const clients = new Remote<ClientProcess>(
      new URL('../clients/client-process.js', import.meta.url),
    );
    const hosts = Array.from({ length: servers }, startHost);
    const ports = await Promise.all(
      hosts.map((host, at) =>
        host.call('start', { name, options: { ...options, aside: at === aside } }),
      ),
    );
    const redis = options.redis === undefined ? undefined : new RedisMeter(options.redis);
    return new Rig(name, hosts, ports, clients, redis);
  }

  get server(): Remote<PeerProcess> {
    return this.servers[0]!;
  }

  /** How many clients there are. Each is of an account of its own: {@link accountOf} its index. */
  get size(): number {
    return this.lasts.length;
  }

  async connect(connections: number, server = 0): Promise<void> {
    const { format } = PEERS[this.name];
    const port = this.ports[server]!;
    const after = this.lasts.at(-1) ?? 0;
    await this.clients.call('open', { port, format, connections, after });
    this.lasts.push(...Array.from({ length: connections }, () => after));
  }

  /** The first server publishes to everyone. Resolves when every client that reads has everything. */
  async publish(order: Order, readers = this.readers()): Promise<void> {
    await this.send(order, readers, undefined);
  }

  /** How old the events were that arrived meanwhile, in milliseconds. */
  async agesDuring(work: () => Promise<unknown>): Promise<Percentiles> {
    await this.clients.call('startWatching', undefined);
    await work();
    return this.clients.call('stopWatching', undefined);
  }

  /** The first clients, so many, stop reading. */
  async stall(clients: number): Promise<void> {
    this.stalled = clients;
    await this.clients.call('stopReading', clients);
  }

  /** The first server publishes to each client that has stopped reading, and nothing is expected to arrive. */
  async publishToStalled(order: Order): Promise<void> {
    const accounts = Array.from({ length: this.stalled }, (_, at) => accountOf(at));
    await this.server.call('publish', { ...order, accounts, first: 1 });
  }

  /** The first server publishes to the accounts of these clients, each event in a push of its own. */
  async publishTo(clients: readonly number[], order: Order): Promise<void> {
    await this.send(order, clients, clients.map(accountOf));
  }

  /**
   * Each client sends so many events in one write, and again once the server has handled those of all clients, until at
   * least `frames` were sent. There is no backlog: what piles up at a slow server would be read at once, and make it look
   * cheaper than it is. Resolves with the number that were sent.
   */
  async request(frames: number, atOnce: number): Promise<number> {
    const ofRound = this.size * atOnce;
    let sent = 0;
    for (; sent < frames; sent += ofRound) {
      await Promise.all([
        this.server.call('untilHandled', ofRound),
        this.clients.call('request', atOnce),
      ]);
    }
    return sent;
  }

  async measure<Result>(work: () => Promise<Result>): Promise<Cost & { readonly result: Result }> {
    const before = await this.read();
    const began = performance.now();
    const result = await work();
    const ms = performance.now() - began;
    const after = await this.read();
    const clientsBusy = (after[2] - before[2]) / 1_000 / ms;
    this.clientsBusyAtMost = Math.max(this.clientsBusyAtMost, clientsBusy);
    return {
      result,
      servers: after[0].map((micros, at) => micros - before[0][at]!),
      redisMicros: after[1] - before[1],
      clientsBusy,
      ms,
    };
  }

  async end(): Promise<void> {
    await this.clients.call(
      'verify',
      this.readers().map((client) => [client, this.lasts[client]!]),
    );
    this.redis?.close();
    await Promise.all([...this.servers, this.clients].map((remote) => remote.end()));
  }

  private readers(): number[] {
    return [...this.lasts.keys()].slice(this.stalled);
  }

  private async send(
    order: Order,
    clients: readonly number[],
    accounts: readonly string[] | undefined,
  ): Promise<void> {
    const last = this.lasts[clients[0]!]!;
    const n = last + order.events;
    for (const client of clients) {
      if (this.lasts[client] !== last) throw new Error('These clients have had different events.');
      this.lasts[client] = n;
    }
    const to = accounts === undefined ? {} : { accounts };
    const work = Promise.all([
      this.server.call('publish', { ...order, ...to, first: last + 1 }),
      this.clients.call('untilReceived', { n, only: clients }),
    ]);
    await work.catch((cause: unknown) => {
      throw new Error(`Publishing on ${this.name} failed.`, { cause });
    });
  }

  private async read(): Promise<Reading> {
    const cpuOf = async (remote: Remote<PeerProcess> | Remote<ClientProcess>): Promise<number> => {
      const usage: ProcessUsage = await (remote as Remote<PeerProcess>).call('usage', undefined);
      return usage.cpuMicros;
    };
    return [
      await Promise.all(this.servers.map(cpuOf)),
      (await this.redis?.usage())?.cpuMicros ?? 0,
      await cpuOf(this.clients),
    ];
  }
}

function accountOf(client: number): string {
  return `account${client}`;
}

function startHost(): Remote<PeerProcess> {
  return new Remote<PeerProcess>(new URL('peer-process.js', import.meta.url), ['--expose-gc']);
}
