import type { INestApplication } from '@nestjs/common';
import type { ServerFrame, WelcomeFrame } from '../protocol/frames.js';
import { SOCKET_CONNECTING } from '../client/web-socket.js';
import { BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL } from '../protocol/subprotocol.js';
import { FrameLog } from './frame-log.js';
import { decodeServerFrame } from './server-frame.decoder.js';
import { type TestSocket, webSocketConstructor } from './test-socket.js';

export interface LoopTestClientOptions {
  /** Sent as the subprotocol `bearer.<token>`. */
  readonly token?: string;
  readonly connectionId?: string;
  /** Default `/ws`. */
  readonly path?: string;
  /** More of the query string. */
  readonly query?: Readonly<Record<string, string>>;
  /** Called with each frame as it arrives. */
  readonly onFrame?: (frame: ServerFrame) => void;
  /** How long every wait of this client may take, in milliseconds. Default 2 000. */
  readonly timeoutMs?: number;
}

/** How the server closed. */
export interface TestClose {
  readonly code: number;
  readonly reason: string;
}

const DEFAULT_TIMEOUT_MS = 2_000;

/**
 * A client for tests: speaks the protocol over a real socket, keeps every frame in order, and waits for what a test
 * expects. A wait that is in vain gives up with the frames that did come.
 *
 * @example
 * const phone = await LoopTestClient.connect(app, { token: 'acme', connectionId: 'phone' });
 * await phone.subscribe('billing:*');
 * await app.get(BillingService).pay('i-1');
 * expect(await phone.next('billing:invoice.paid')).toEqual({ id: 'i-1' });
 */
export class LoopTestClient {
  /** Resolves when the socket is closed, by whichever side. */
  readonly closed: Promise<TestClose>;
  private readonly log: FrameLog;
  private welcomed: WelcomeFrame | undefined;
  private lastId = 0;

  private constructor(
    private readonly socket: TestSocket,
    timeoutMs: number,
    private readonly onFrame: (frame: ServerFrame) => void,
  ) {
    this.log = new FrameLog(timeoutMs);
    socket.addEventListener('message', ({ data }) => this.receive(String(data)));
    this.closed = new Promise((resolve) => {
      const end = ({ code, reason }: TestClose): void => {
        this.log.end(`the server closed with ${code} ${reason}`.trim());
        resolve({ code, reason });
      };
      socket.addEventListener('close', end);
      // A close follows, which says more. Only Node 22 tells of a refusal by nothing else.
      socket.addEventListener('error', () => {
        if (socket.readyState === SOCKET_CONNECTING) end({ code: 1006, reason: '' });
      });
    });
  }

  /**
   * Connects to an application that listens (`await app.listen(0)`), or to a URL, and waits for the welcome.
   * Rejects when the upgrade was refused or the connection was closed before it.
   */
  static async connect(
    target: INestApplication | string,
    options: LoopTestClientOptions = {},
  ): Promise<LoopTestClient> {
    const WebSocket = await webSocketConstructor();
    const bearer = options.token === undefined ? [] : [BEARER_SUBPROTOCOL_PREFIX + options.token];
    const socket = new WebSocket(await urlOf(target, options), [SUBPROTOCOL, ...bearer]);
    const { timeoutMs = DEFAULT_TIMEOUT_MS, onFrame = () => {} } = options;
    const client = new LoopTestClient(socket, timeoutMs, onFrame);
    client.welcomed = (await client.nextFrame('a welcome', isOp('welcome'))) as WelcomeFrame;
    return client;
  }

  get welcome(): WelcomeFrame {
    return this.welcomed!;
  }

  /** Every frame so far, in order. */
  get frames(): readonly ServerFrame[] {
    return this.log.frames;
  }

  /** The payload of the next event of this name; one that came before it is skipped for good. */
  async next(name: string): Promise<unknown> {
    const frame = await this.nextFrame(
      `the event "${name}"`,
      (one) => 'event' in one && one.event === name,
    );
    return (frame as { data?: unknown }).data;
  }

  /** The next frame that fits. `what` names it in the message of a wait that is in vain. */
  nextFrame(what: string, fits: (frame: ServerFrame) => boolean): Promise<ServerFrame> {
    return this.log.next(what, fits);
  }

  /** Subscribes and waits for the answer. */
  subscribe(...patterns: readonly string[]): Promise<ServerFrame> {
    return this.ask({ op: 'subscribe', patterns });
  }

  unsubscribe(...patterns: readonly string[]): Promise<ServerFrame> {
    return this.ask({ op: 'unsubscribe', patterns });
  }

  /** Sends an event to a handler and waits for the reply or the error. */
  request(event: string, data?: unknown): Promise<ServerFrame> {
    return this.ask({ event, data });
  }

  /** Sends a frame with an `id` of its own and waits for the frame that answers it. */
  ask(frame: object): Promise<ServerFrame> {
    const id = ++this.lastId;
    this.send({ ...frame, id });
    return this.log.find(`an answer to frame ${id}`, (one) => 'id' in one && one.id === id);
  }

  /** Sends anything: a text as it is, everything else as JSON. */
  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Closes and waits until the socket is gone. */
  async close(code = 1000): Promise<TestClose> {
    this.socket.close(code);
    return this.closed;
  }

  private receive(text: string): void {
    const frame = decodeServerFrame(text);
    if (!frame) {
      this.log.end(`the server sent what is no frame: ${text}`);
      return;
    }
    this.onFrame(frame);
    this.log.add(frame);
  }
}

function isOp(op: string): (frame: ServerFrame) => boolean {
  return (frame) => frame.op === op;
}

async function urlOf(
  target: INestApplication | string,
  { path = '/ws', connectionId, query }: LoopTestClientOptions,
): Promise<string> {
  const base = typeof target === 'string' ? target : await target.getUrl();
  const url = new URL(path, base.replace(/^http/, 'ws').replace('[::]', '127.0.0.1'));
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  if (connectionId !== undefined) url.searchParams.set('connectionId', connectionId);
  return url.href;
}
