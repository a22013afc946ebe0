import { WebSocket } from 'ws';
import type { ServerFrame } from '../../lib/testing/index.js';

export interface SocketWatcher {
  opened(socket: WebSocket): void;
  /** Before the client gets it. */
  received(frame: ServerFrame): void;
}

/** The `ws` class, for a client that takes one, which tells of each socket and of its frames. */
export function watchedWebSocket(watcher: SocketWatcher): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      watcher.opened(this);
      this.on('message', (bytes: Buffer) =>
        watcher.received(JSON.parse(bytes.toString()) as ServerFrame),
      );
      this.on('error', () => {}); // a close follows
    }
  } as typeof WebSocket;
}
