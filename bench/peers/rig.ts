import type { ClientProcess } from '../clients/client-process.js';
import type { ProcessUsage } from '../support/process-usage.js';
import { Remote } from '../support/remote.js';
import { type PeerName, PEERS } from './index.js';
import type { PeerOptions } from './peer.js';
import type { PeerProcess, Publication } from './peer-process.js';

/** What a stretch of time has cost the server, and how busy it kept its clients. */
export interface Cost {
  readonly serverMicros: number;
  /** Share of the time that the clients' process was running, from 0 to 1. */
  readonly clientsBusy: number;
  readonly ms: number;
}

/** A server and its clients, each side in a process of its own. */
export class Rig {
  private lastNumber = 0;

  private constructor(
    readonly name: PeerName,
    private readonly port: number,
    readonly server: Remote<PeerProcess>,
    readonly clients: Remote<ClientProcess>,
  ) {}

  static async start(name: PeerName, options: PeerOptions): Promise<Rig> {
    const server = new Remote<PeerProcess>(new URL('peer-process.js', import.meta.url), [
      '--expose-gc',
    ]);
    const clients = new Remote<ClientProcess>(
      new URL('../clients/client-process.js', import.meta.url),
    );
    const port = await server.call('start', { name, options });
    return new Rig(name, port, server, clients);
  }

  get title(): string {
    return PEERS[this.name].title;
  }

  connect(connections: number): Promise<void> {
    const { format } = PEERS[this.name];
    return this.clients.call('open', {
      port: this.port,
      format,
      connections,
      after: this.lastNumber,
    });
  }

  /** Resolves when every client has everything. */
  async publish(order: Omit<Publication, 'first'>): Promise<void> {
    const first = this.lastNumber + 1;
    this.lastNumber += order.ticks * order.perTick;
    await Promise.all([
      this.server.call('publish', { ...order, first }),
      this.clients.call('untilReceived', this.lastNumber),
    ]);
  }

  async measure(work: () => Promise<void>): Promise<Cost> {
    const [server, clients] = await this.read();
    const began = performance.now();
    await work();
    const ms = performance.now() - began;
    const [serverAfter, clientsAfter] = await this.read();
    return {
      serverMicros: serverAfter.cpuMicros - server.cpuMicros,
      clientsBusy: (clientsAfter.cpuMicros - clients.cpuMicros) / 1_000 / ms,
      ms,
    };
  }

  async end(): Promise<void> {
    await Promise.all([this.server.end(), this.clients.end()]);
  }

  private read(): Promise<[ProcessUsage, ProcessUsage]> {
    return Promise.all([
      this.server.call('usage', undefined),
      this.clients.call('usage', undefined),
    ]);
  }
}
