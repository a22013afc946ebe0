import type { RedisDriver } from './driver.js';

/** One Redis server, or one group of which Sentinels say who serves. */
export interface RedisServer {
  /** A new connection to it, not connected yet. */
  createConnection(): RedisDriver;
}

/** The servers, and which of them keeps which key. */
export interface Topology {
  /** Whether there are several servers, so that pub/sub is sharded. */
  readonly isSharded: boolean;
  /** Resolves when the servers are known. Rejects with a `LoopWsBootError` when they cannot be learnt in time. */
  start(): Promise<void>;
  /** Changes only together with a call of the listeners of {@link onChange}. */
  readonly servers: readonly RedisServer[];
  /** `undefined` while nobody keeps it. */
  ownerOf(key: string): RedisServer | undefined;
  onChange(listener: () => void): void;
  /** Looks anew. Resolves when done, be it in vain. */
  refresh(): Promise<void>;
  close(): void;
}

/** One server that keeps everything. */
export class SingleServer implements Topology {
  readonly isSharded = false;
  readonly servers: readonly [RedisServer];

  constructor(createConnection: () => RedisDriver) {
    this.servers = [{ createConnection }];
  }

  async start(): Promise<void> {}

  ownerOf(): RedisServer {
    return this.servers[0];
  }

  onChange(): void {}

  async refresh(): Promise<void> {}

  close(): void {}
}
