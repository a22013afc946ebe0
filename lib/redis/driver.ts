import type { Socket } from 'node:net';

/** What this folder uses of ioredis beyond what users see of it; the same in versions 5 and 6. */
export interface RedisDriver {
  readonly status: string;
  readonly stream: Socket | undefined;
  connect(): Promise<void>;
  disconnect(): void;
  duplicate(override?: object): RedisDriver;
  call(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  on(event: 'ready' | 'close' | 'end', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'messageBuffer', listener: (channel: Buffer, message: Buffer) => void): unknown;
}
