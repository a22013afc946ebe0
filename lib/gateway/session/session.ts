import type { HeartbeatTarget } from '../../connections/heartbeat.js';
import type { ConnectionEnd, LoopConnection } from '../../connections/loop-connection.js';
import type { LoopSocket } from '../../connections/loop-socket.js';
import type { Outbox } from '../../connections/outbox.js';
import { TokenBucket } from '../../connections/token-bucket.js';
import type { OpenAsks } from '../../bus/open-asks.js';
import type { PositionAnnouncer } from '../../bus/position-announcer.js';
import type { LoopWsConfig } from '../../loop-ws.config.js';
import { CloseCode } from '../../protocol/close-code.js';
import { decodeClientFrame } from '../../protocol/client-frame.codec.js';
import { ErrorCode } from '../../protocol/error-code.js';
import { frameCost } from '../../protocol/frame-cost.js';
import {
  type ClientFrame,
  type FrameId,
  idField,
  type TopicPositions,
} from '../../protocol/frames.js';
import type { BackgroundWork } from '../../util/background-work.js';
import { LazyAbort } from '../../util/lazy-abort.js';
import { isLater } from '../../util/now-or-later.js';
import type { Authenticator } from '../request/authenticator.js';
import { Credentials, type RefreshedCredentials } from './credentials.js';
import type { FrameHandler, QueuedFrame } from './frame-handler.js';
import type { FrameSource } from './frame-source.js';
import { FrameQueue } from './frame-queue.js';
import type { KeptRequest } from '../request/kept-request.js';
import { SessionEnd, type Teardown } from './session-end.js';
import { listenTo, type SocketListener } from './socket-listeners.js';

/**
 * Each frame starts in its own reaction to this promise, so that a context entered with `AsyncLocalStorage` does not
 * leak into the next frame, and no application code runs within the socket's own event.
 */
const NOW = Promise.resolve();

/** What all sessions of a server share. */
export interface SessionServices {
  readonly config: LoopWsConfig;
  readonly asks: OpenAsks;
  readonly handler: FrameHandler;
  readonly authenticator: Authenticator;
  readonly background: BackgroundWork;
  readonly announcer: PositionAnnouncer;
  readonly sessions: { remove(session: Session): void };
  readonly teardown: Teardown<Session>;
}

/** What a session is made of. */
export interface SessionParts {
  readonly socket: LoopSocket;
  readonly outbox: Outbox;
  readonly request: KeptRequest;
  /** Creates the connection, which calls `end` when server code closes it. */
  readonly connect: (end: ConnectionEnd) => LoopConnection;
}

/** One peer's inbound side: turns what arrives on its socket into calls, and enforces the protocol. */
export class Session implements HeartbeatTarget, FrameSource, SocketListener {
  readonly connection: LoopConnection;
  readonly credentials: Credentials;
  readonly end: SessionEnd<Session>;

  private readonly socket: LoopSocket;
  private readonly outbox: Outbox;
  private readonly queue: FrameQueue;
  private readonly rate: TokenBucket;
  /** Absent until a frame is refused. */
  private refusals: TokenBucket | undefined;
  /** Frames whose handling has not finished; absent while there are none. */
  private running: Set<LazyAbort> | undefined;
  private heard = true;

  /** Listens at once, because frames may arrive right after the upgrade. */
  constructor(
    private readonly services: SessionServices,
    { socket, outbox, request, connect }: SessionParts,
  ) {
    const { config, teardown, authenticator } = services;
    this.socket = socket;
    this.outbox = outbox;
    this.end = new SessionEnd<Session>(teardown, this);
    this.connection = connect(this.end);
    this.credentials = new Credentials(request, this.connection, authenticator);
    this.queue = new FrameQueue(socket, config.handlersInFlight, config.maxQueuedFrames);
    this.rate = new TokenBucket(config.framesPerSecond, config.frameBurst);
    listenTo(socket, this);
  }

  /** Starts to handle frames: those that waited for the welcome, then all later ones. */
  start(): void {
    this.queue.start();
  }

  /** Whether a frame of the client is being handled. */
  get isBusy(): boolean {
    return this.running !== undefined;
  }

  /** Stops handling frames, and aborts those being handled. */
  stop(): void {
    for (const frame of this.running ?? []) frame.abort();
    this.queue.stop();
  }

  consumeActivity(): boolean {
    const alive = this.heard || this.queue.isPaused;
    this.heard = false;
    return alive;
  }

  ping(): void {
    this.socket.ping();
    this.services.announcer.announce(this.connection);
  }

  lost(): void {
    this.connection.close(CloseCode.HeartbeatLost, 'Nothing received since the last heartbeat.');
  }

  refuse(code: ErrorCode, message: string, id?: FrameId): void {
    this.tell(code, message, id);
    if (this.takesRefusal()) return;
    if (code === ErrorCode.RateLimited) this.connection.close(CloseCode.OverTheRate, message);
    else this.connection.close(CloseCode.NotTheProtocol, 'Too many frames broke the protocol.');
  }

  refreshCredentials(token: string, signal: AbortSignal): Promise<RefreshedCredentials> {
    return this.credentials.refresh(token, signal);
  }

  /** Resolves when every frame that was received so far has been handled. */
  whenIdle(): Promise<void> {
    return this.queue.idle();
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    if (!this.admit(frameCost(data.length))) return;
    if (isBinary) return this.refuse(ErrorCode.BinaryFrame, 'Send text frames.');
    const decoded = decodeClientFrame(data.toString(), this.services.config.maxDepth);
    if (decoded.ok) this.route(decoded.frame);
    else this.refuse(decoded.code, decoded.message, decoded.id);
  }

  onPing(data: Buffer): void {
    if (this.admit() && !this.outbox.blocked) this.socket.pong(data);
  }

  onPong(): void {
    this.admit();
  }

  onClose(code: number, reason: Buffer): void {
    this.connection.markClosed();
    this.end.begin({ code, reason: reason.toString() });
    this.services.sessions.remove(this);
  }

  private tell(code: ErrorCode, message: string, id: FrameId | undefined): void {
    this.connection.sendFrame({ op: 'error', ...idField(id), code, message });
  }

  private takesRefusal(): boolean {
    const { refusalsPerMinute } = this.services.config;
    this.refusals ??= new TokenBucket(refusalsPerMinute / 60, refusalsPerMinute);
    return this.refusals.take();
  }

  /** Counts a frame of any kind as a sign of life and against the rate. Returns whether it may be handled. */
  private admit(cost = 1): boolean {
    this.heard = true;
    if (this.end.hasBegun) return false;
    if (this.rate.take(cost)) return true;
    const { framesPerSecond } = this.services.config;
    this.refuse(
      ErrorCode.RateLimited,
      `The rate limit is ${framesPerSecond} frames per second; a long frame counts once per 4 KiB.`,
    );
    return false;
  }

  /** Pings and answers bypass the queue: a handler in the queue may be waiting for the answer. */
  private route(frame: ClientFrame): void {
    if (frame.op === 'answer') return this.answer(frame);
    if (frame.op === 'ping') return this.pong(frame.id);
    if (frame.op === 'subscribe') this.rate.owe(topicsIn(frame.since));
    this.queue.push(() => NOW.then(() => this.handle(frame)), frame.op !== 'event');
  }

  private handle(frame: QueuedFrame): Promise<void> | undefined {
    const givenUp = new LazyAbort();
    const handling = this.services.handler.handle(this, frame, givenUp);
    if (!isLater(handling)) return undefined;
    const handled = Promise.resolve(handling);
    if (this.end.hasBegun) givenUp.abort();
    else this.note(givenUp);
    this.services.background.track('A frame', handled);
    return handled.then(() => this.forget(givenUp));
  }

  private note(frame: LazyAbort): void {
    this.running ??= new Set();
    this.running.add(frame);
  }

  private forget(frame: LazyAbort): void {
    this.running?.delete(frame);
    if (this.running?.size === 0) this.running = undefined;
  }

  /** A late answer is not counted as a violation, because the client could not know that it was late. */
  private answer(frame: Extract<ClientFrame, { op: 'answer' }>): void {
    const { asks } = this.services;
    if (asks.settle(this.connection, frame)) return;
    const message = 'No open question has this number.';
    if (asks.wasAsked(frame.ask)) this.tell(ErrorCode.UnknownAsk, message, frame.id);
    else this.refuse(ErrorCode.UnknownAsk, message, frame.id);
  }

  private pong(id: FrameId | undefined): void {
    this.connection.sendFrame({ op: 'pong', ...idField(id) });
  }
}

/** Each costs a read of a history. */
function topicsIn(since: TopicPositions = {}): number {
  return Object.keys(since).length;
}
