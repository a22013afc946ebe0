/**
 * The part of a WebSocket that this module uses. Structural, because an application may have several copies of the `ws`
 * package, which documents every member.
 */
export interface LoopSocket {
  readonly readyState: number;
  readonly extensions: string;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array, options: { readonly binary: boolean }, written: () => void): void;
  ping(): void;
  pong(data?: Uint8Array): void;
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this;
  on(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
  on(event: 'close', listener: (code: number, reason: Buffer) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
}

/** `readyState` of a socket that has neither sent nor received a close frame. */
export const SOCKET_OPEN = 1;

/** The part of the TCP or TLS stream under a WebSocket that this module uses. */
export interface LoopStream {
  readonly writableLength: number;
  readonly writableHighWaterMark: number;
  /** The encoding applies to strings. */
  write(chunk: string | Uint8Array, encoding: 'latin1', written: (() => void) | undefined): boolean;
  cork(): void;
  uncork(): void;
  on(event: 'drain', listener: () => void): this;
}
