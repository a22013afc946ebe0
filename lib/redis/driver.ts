import type { Socket } from 'node:net';

/** What this folder uses of a connection of ioredis beyond what users see of it; the same in versions 5 and 6. */
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
  /** `moved`: the server has given up a subscription, because another one keeps its slot now. */
  on(event: 'ready' | 'moved', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(
    event: 'messageBuffer' | 'smessageBuffer',
    listener: (channel: Buffer, message: Buffer) => void,
  ): unknown;
}

/** The same of its client for a Redis Cluster, of which only the knowledge of the servers is used. */
export interface ClusterDriver {
  /** The servers of each slot as `host:port`, its master first. */
  readonly slots: readonly (readonly string[] | undefined)[];
  connect(): Promise<void>;
  disconnect(): void;
  duplicate(startupNodes: never[], override: object): ClusterDriver;
  nodes(role: 'master'): RedisDriver[];
  refreshSlotsCache(done?: () => void): void;
  on(event: 'ready' | 'refresh', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}
