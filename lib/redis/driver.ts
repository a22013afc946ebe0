import type { Socket } from 'node:net';

/** What this folder uses of an ioredis connection, beyond the public `RedisClient`; the same in versions 5 and 6. */
export interface RedisDriver {
  readonly status: string;
  readonly stream: Socket | undefined;
  readonly options: { readonly host?: string; readonly port?: number };
  connect(): Promise<void>;
  disconnect(): void;
  duplicate(override?: object): RedisDriver;
  call(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  ssubscribe(...channels: string[]): Promise<unknown>;
  sunsubscribe(...channels: string[]): Promise<unknown>;
  /** `moved`: the server has dropped a subscription, because another server keeps its slot now. */
  on(event: 'ready' | 'moved', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(
    event: 'messageBuffer' | 'smessageBuffer',
    listener: (channel: Buffer, message: Buffer) => void,
  ): unknown;
}

/** What this folder uses of the ioredis Cluster client, which serves only to discover the servers. */
export interface ClusterDriver {
  /** The servers of each slot as `host:port`, the master first. */
  readonly slots: readonly (readonly string[] | undefined)[];
  connect(): Promise<void>;
  disconnect(): void;
  duplicate(startupNodes: never[], override: object): ClusterDriver;
  nodes(role: 'master'): RedisDriver[];
  refreshSlotsCache(done?: () => void): void;
  on(event: 'ready' | 'refresh', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}
