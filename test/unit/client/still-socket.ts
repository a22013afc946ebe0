import { clientSettings } from '../../../lib/client/client-options.js';
import type { LoopClientOptions } from '../../../lib/client/index.js';
import { createLink } from '../../../lib/client/link.js';
import type { LoopStateChange, LoopStatus } from '../../../lib/client/loop-state.js';
import type { LoopCloseEvent } from '../../../lib/client/web-socket.js';
import type { WelcomeFrame } from '../../../lib/protocol/frames.js';
import { welcomeFrame } from './scripted-server.js';

/** A platform's socket whose time is the test's. */
class StillSocket {
  static last: StillSocket;
  readonly readyState = 1;
  readonly bufferedAmount = 0;
  readonly sent: string[] = [];
  private listeners: Record<string, (event: never) => unknown> = {};

  constructor() {
    StillSocket.last = this;
  }

  addEventListener(type: string, listener: (event: never) => unknown): void {
    this.listeners[type] = listener;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {}

  receive(frame: object): void {
    this.listeners['message']?.({ data: JSON.stringify(frame) } as never);
  }

  end(event: LoopCloseEvent): void {
    this.listeners['close']?.(event as never);
  }
}

interface OpenLink {
  readonly socket: StillSocket;
  readonly states: readonly LoopStateChange[];
  readonly link: ReturnType<typeof createLink>;
}

/** An open connection on such a socket. Call it with Jest's fake timers. */
export async function openLink(
  welcome: Partial<WelcomeFrame> = {},
  options: LoopClientOptions = {},
): Promise<OpenLink> {
  const loop: LoopStatus = { state: 'connecting', welcome: undefined };
  const states: LoopStateChange[] = [];
  const settings = clientSettings({
    WebSocket: StillSocket,
    backoff: { baseMs: 0 },
    ...options,
  });
  const link = createLink(loop, 'ws://127.0.0.1/ws', settings, {
    token: async () => undefined,
    resume: () => false,
    onState: (change) => states.push(change),
    onFrame: () => {},
    onError: () => {},
  });
  await link.start();
  const socket = StillSocket.last;
  socket.receive(welcomeFrame(welcome));
  return { socket, states, link };
}
