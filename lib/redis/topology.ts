import type { RedisDriver } from './driver.js';

/** One Redis server, or one Sentinel group, whose Sentinels name the current master. */
export interface RedisServer {
  /** Creates a connection to the server that is not connected yet. */
  createConnection(): RedisDriver;
}

/** The Redis servers, and which of them keeps which key. */
export interface Topology {
  /** Whether this is a Redis Cluster, where Pub/Sub is sharded. */
  readonly isSharded: boolean;
  /** Resolves when the servers are known. Rejects with a `LoopWsBootError` when they cannot be discovered in time. */
  start(): Promise<void>;
  /** Whenever this changes, the listeners of {@link onChange} are called. */
  readonly servers: readonly RedisServer[];
  /** The server that keeps the key, or `undefined` while none does. */
  ownerOf(key: string): RedisServer | undefined;
  onChange(listener: () => void): void;
  /** Looks up the servers again. Resolves when done, even if the lookup failed. */
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
