/** The part of a WebSocket that the client uses. The browser's own and the one from the `ws` package both have it. */
export interface LoopWebSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Cuts the socket without a handshake; browsers do not have it. */
  terminate?(): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: LoopCloseEvent) => void): void;
  addEventListener(type: 'error', listener: () => void): void;
}

export interface LoopCloseEvent {
  readonly code: number;
  readonly reason: string;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => LoopWebSocket;

/** `readyState` of a socket that is being opened. */
export const SOCKET_CONNECTING = 0;

/** `readyState` of a socket that can be written to. */
export const SOCKET_OPEN = 1;
