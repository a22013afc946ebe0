import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { ServerFrame, WelcomeFrame } from '../../../lib/protocol/frames.js';
import { SUBPROTOCOL } from '../../../lib/protocol/subprotocol.js';
import { connect } from '../../../lib/client/index.js';
import type {
  LoopClient,
  LoopClientError,
  LoopClientOptions,
  LoopState,
  LoopStateChange,
} from '../../../lib/client/index.js';
import { Queue } from './queue.js';

export interface WireFrame {
  readonly op?: string;
  readonly event?: string;
  readonly data?: unknown;
  readonly id?: number | string;
  readonly ask?: number;
  readonly error?: { readonly code: string; readonly message: string };
  readonly patterns?: readonly string[];
  readonly since?: Readonly<Record<string, string>>;
  readonly token?: string;
}

/** One connection as the server sees it. */
export class Peer {
  readonly frames = new Queue<WireFrame>();
  readonly closed = new Queue<number>();

  constructor(
    readonly socket: WebSocket,
    readonly query: URLSearchParams,
    readonly offered: readonly string[],
  ) {
    socket.on('close', (code) => this.closed.push(code));
  }

  send(frame: ServerFrame): void {
    this.sendRaw(JSON.stringify(frame));
  }

  sendRaw(data: string | Buffer): void {
    this.socket.send(data);
  }

  close(code?: number, reason?: string): void {
    this.socket.close(code, reason);
  }

  /** The next frame of this `op`, or the next event of this name. */
  next(what: string): Promise<WireFrame> {
    return this.frames.next(
      `The server should receive "${what}"`,
      (frame) => frame.op === what || frame.event === what,
    );
  }
}

type Reaction = (frame: WireFrame, peer: Peer) => void;

/** What the server does with a frame; by default it grants, accepts and pongs, and says nothing to events. */
export const reactions = {
  friendly: (frame: WireFrame, peer: Peer): void => {
    const id = frame.id === undefined ? {} : { id: frame.id };
    if (frame.op === 'subscribe') peer.send({ op: 'ok', ...id, granted: frame.patterns ?? [] });
    if (frame.op === 'unsubscribe') peer.send({ op: 'ok', ...id, removed: frame.patterns ?? [] });
    if (frame.op === 'auth') peer.send({ op: 'ok', ...id });
    if (frame.op === 'ping') peer.send({ op: 'pong', ...id });
  },
  silent: (): void => {},
};

/** A server that does what the test says, on a port of the system's choosing. */
export class ScriptedServer {
  welcome: Partial<WelcomeFrame> | undefined = {};
  react: Reaction = reactions.friendly;
  /** Runs before the welcome of each connection. */
  greet: (peer: Peer) => void = () => {};
  refuseWith: number | undefined;
  readonly peers = new Queue<Peer>();
  readonly attempts = new Queue<'refused' | 'accepted'>();
  readonly #clients: LoopClient[] = [];
  readonly #server: WebSocketServer;

  private constructor() {
    this.#server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: () => SUBPROTOCOL,
      verifyClient: (_info, done) => {
        const refused = this.refuseWith !== undefined;
        this.attempts.push(refused ? 'refused' : 'accepted');
        done(!refused, this.refuseWith);
      },
    });
    this.#server.on('connection', (socket, request) => {
      const query = new URL(request.url ?? '/', 'ws://server').searchParams;
      const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/, */);
      this.#accept(new Peer(socket, query, offered));
    });
  }

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  /** A client of this server that waits no time between attempts, with everything it reports on record. */
  client(options: LoopClientOptions = {}): TestClient {
    const loop = connect(this.url, {
      WebSocket,
      random: () => 0,
      ...options,
    });
    this.#clients.push(loop);
    return new TestClient(loop);
  }

  nextPeer(): Promise<Peer> {
    return this.peers.next('A client should connect');
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(peer: Peer): void {
    peer.socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as WireFrame;
      peer.frames.push(frame);
      this.react(frame, peer);
    });
    this.greet(peer);
    if (this.welcome !== undefined) peer.send(welcomeFrame(this.welcome));
    this.peers.push(peer);
  }
}

/** A client with a record of its states and problems. */
export class TestClient {
  readonly states = new Queue<LoopStateChange>();
  readonly errors = new Queue<LoopClientError>();

  constructor(readonly loop: LoopClient) {
    loop.onState((_, change) => this.states.push(change));
    loop.onError((error) => this.errors.push(error));
  }

  readonly nextState = async <S extends LoopState>(
    state: S,
  ): Promise<Extract<LoopStateChange, { state: S }>> =>
    (await this.states.next(
      `The client should become "${state}"`,
      (change) => change.state === state,
    )) as Extract<LoopStateChange, { state: S }>;

  readonly nextError = (code: string): Promise<LoopClientError> =>
    this.errors.next(`The client should report "${code}"`, (error) => error.code === code);
}

export function welcomeFrame(fields: Partial<WelcomeFrame> = {}): WelcomeFrame {
  return {
    op: 'welcome',
    accountId: 'acme',
    connectionId: 'tab-1',
    serverId: 'server-1',
    subscriptions: [],
    heartbeatMs: 25_000,
    maxPatterns: 200,
    maxPayload: 65_536,
    ...fields,
  };
}

/** What a promise is rejected with; fails when it is not. */
export async function rejection(promise: Promise<unknown>): Promise<LoopClientError> {
  return promise.then(
    () => {
      throw new Error('The promise should reject, and it resolved.');
    },
    (error: unknown) => error as LoopClientError,
  );
}
