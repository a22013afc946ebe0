import { WebSocket } from 'ws';
import {
  connect,
  type LoopClient,
  type LoopClientError,
  type LoopClientOptions,
  type WebSocketConstructor,
} from '../../lib/client/index.js';
import { ConnectionRegistry, type LoopConnection } from '../../lib/index.js';
import { eventually } from './eventually.js';
import { closeLoopApps, type LoopApp, type LoopAppOptions, startLoopApp } from './loop-app.js';

export const SIZE = 20;
let running: LoopApp;
const clients: LoopClient[] = [];
/** What the clients of the running test reported. */
export const errors: LoopClientError[] = [];
/** What the handlers of the running test were given. */
export const seen: unknown[] = [];

export const server = (): LoopApp => running;

/** The server that the clients connect to from now on. */
export async function boot(options: LoopAppOptions = {}): Promise<void> {
  errors.length = seen.length = 0;
  const services = {
    chat: { history: { size: SIZE, ttlMs: 60_000 } },
    prices: { history: { size: 1, ttlMs: 60_000 } },
    live: {},
  };
  running = await startLoopApp({
    options: {
      services,
      defaultSubscriptions: [],
      authenticate: ({ token }) => (token ? { accountId: token.split('-')[0]! } : null),
      ...options,
    },
  });
}

/** Call it in `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const client of clients.splice(0)) client.close();
  await closeLoopApps();
}

export function start(options: LoopClientOptions = {}): LoopClient {
  const client = connect(running.url, {
    token: 'acme',
    connectionId: 'phone',
    WebSocket: WebSocket as unknown as WebSocketConstructor,
    backoff: { baseMs: 20, capMs: 50 },
    ...options,
  });
  clients.push(client);
  client.onError((error) => errors.push(error));
  return client;
}

/** The server's side of the client. */
export const connection = (): LoopConnection =>
  running.get(ConnectionRegistry).get('acme', 'phone')!;

/** Pushes while the client is not connected. */
export async function whileAway(
  client: LoopClient,
  happens: () => Promise<unknown>,
): Promise<void> {
  const before = connection();
  const pushed = new Promise<void>((resolve) => {
    const off = client.onState((state) => {
      if (state !== 'waiting') return;
      off();
      void happens().then(() => resolve());
    });
  });
  before.close(4408, 'a test');
  await pushed;
  await client.ready();
}

/** What has come, once it is as many. */
export async function first(count: number): Promise<readonly unknown[]> {
  await eventually(`${count} have come`, () => seen.length >= count);
  return seen;
}
