import type { Beating } from '../connections/heartbeat.js';
import type { ConnectionClose, LoopConnection } from '../connections/loop-connection.js';
import type { LoopSocket } from '../connections/loop-socket.js';
import type { Outbox } from '../connections/outbox.js';
import { TokenBucket } from '../connections/token-bucket.js';
import type { OpenAsks } from '../bus/open-asks.js';
import type { PositionNews } from '../bus/position-news.js';
import type { LoopWsConfig } from '../loop-ws.config.js';
import { CloseCode } from '../protocol/close-code.js';
import { decodeClientFrame } from '../protocol/client-frame.codec.js';
import { ErrorCode } from '../protocol/error-code.js';
import { type ClientFrame, type FrameId, idField } from '../protocol/frames.js';
import type { BackgroundWork } from '../util/background-work.js';
import type { FrameHandler, QueuedFrame } from './frame-handler.js';
import type { FrameSource } from './frame-source.js';
import { FrameQueue } from './frame-queue.js';
import { SessionEnd } from './session-end.js';

export interface SessionParts {
  readonly socket: LoopSocket;
  readonly outbox: Outbox;
  readonly connection: LoopConnection;
  readonly end: SessionEnd;
  readonly config: LoopWsConfig;
  readonly asks: OpenAsks;
  readonly handler: FrameHandler;
  readonly background: BackgroundWork;
  readonly news: PositionNews;
  readonly refreshCredentials: FrameSource['refreshCredentials'];
}

/** One peer's inbound side: turns what its socket brings into calls, and holds it to the protocol. */
export class Session implements Beating, FrameSource {
  readonly connection: LoopConnection;
  /** Resolves when the socket itself is gone. */
  readonly socketClosed: Promise<void>;
  readonly refreshCredentials: FrameSource['refreshCredentials'];

  private readonly queue: FrameQueue;
  private readonly rate: TokenBucket;
  private readonly refusals: TokenBucket;
  private readonly running = new Set<AbortController>();
  private heard = true;

  /** Listens at once, because frames may follow right behind the upgrade. */
  constructor(private readonly parts: SessionParts) {
    const { socket, config, end } = parts;
    this.connection = parts.connection;
    this.refreshCredentials = parts.refreshCredentials;
    this.queue = new FrameQueue(socket, config.handlersInFlight, config.maxQueuedFrames);
    this.rate = new TokenBucket(config.framesPerSecond, config.frameBurst);
    this.refusals = new TokenBucket(config.refusalsPerMinute / 60, config.refusalsPerMinute);
    this.socketClosed = this.listen(socket);
    end.undo(() => this.queue.stop());
    end.undo(() => this.giveUpRunning());
    end.undo(() => parts.asks.abandon(parts.connection));
  }

  /** Handles the frames that waited for the welcome, and every later one. */
  start(): void {
    this.queue.start();
  }

  /** Whether a frame of its client is being handled. */
  get isBusy(): boolean {
    return this.running.size > 0;
  }

  takeSignOfLife(): boolean {
    const alive = this.heard || this.queue.holdsBack;
    this.heard = false;
    return alive;
  }

  ping(): void {
    this.parts.socket.ping();
    this.parts.news.tell(this.connection);
  }

  lost(): void {
    this.connection.close(CloseCode.HeartbeatLost, 'Nothing was heard since the last heartbeat.');
  }

  refuse(code: ErrorCode, message: string, id?: FrameId): void {
    this.tell(code, message, id);
    if (this.refusals.take()) return;
    if (code === ErrorCode.RateLimited) this.connection.close(CloseCode.OverTheRate, message);
    else this.connection.close(CloseCode.NotTheProtocol, 'Too many frames broke the protocol.');
  }

  /** Resolves when every frame that was received so far has been handled. */
  allHandled(): Promise<void> {
    return this.queue.idle();
  }

  private tell(code: ErrorCode, message: string, id: FrameId | undefined): void {
    this.connection.sendFrame({ op: 'error', ...idField(id), code, message });
  }

  private listen(socket: LoopSocket): Promise<void> {
    socket.on('message', (data, isBinary) => this.receive(data, isBinary));
    socket.on('ping', (data) => this.answerPing(data));
    socket.on('pong', () => this.admit());
    socket.on('error', () => {}); // the close that follows says all that is needed
    return new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.closedByPeer({ code, reason: reason.toString() });
        resolve();
      });
    });
  }

  private closedByPeer(close: ConnectionClose): void {
    this.connection.markClosed();
    this.parts.end.come(close);
  }

  /** Counts a frame of any kind as life and against the rate. */
  private admit(): boolean {
    this.heard = true;
    if (this.parts.end.hasCome) return false;
    if (this.rate.take()) return true;
    this.refuse(
      ErrorCode.RateLimited,
      `More than ${this.parts.config.framesPerSecond} frames per second.`,
    );
    return false;
  }

  private answerPing(data: Buffer): void {
    if (this.admit() && !this.parts.outbox.blocked) this.parts.socket.pong(data);
  }

  private receive(data: Buffer, isBinary: boolean): void {
    if (!this.admit()) return;
    if (isBinary) return this.refuse(ErrorCode.BinaryFrame, 'Send text frames.');
    const decoded = decodeClientFrame(data.toString(), this.parts.config.maxDepth);
    if (decoded.ok) this.route(decoded.frame);
    else this.refuse(decoded.code, decoded.message, decoded.id);
  }

  /** Pings and answers do not wait behind handlers: a handler may be waiting for the answer. */
  private route(frame: ClientFrame): void {
    if (frame.op === 'answer') return this.answer(frame);
    if (frame.op === 'ping') return this.pong(frame.id);
    this.queue.push(() => this.handle(frame), frame.op !== 'event');
  }

  private handle(frame: QueuedFrame): Promise<void> {
    const givenUp = new AbortController();
    this.running.add(givenUp);
    const handled = this.parts.handler.handle(this, frame, givenUp);
    this.parts.background.track('A frame', handled);
    return handled.then(() => void this.running.delete(givenUp));
  }

  private giveUpRunning(): void {
    for (const frame of this.running) frame.abort();
  }

  /** One that is too late is no abuse: the client could not know. */
  private answer(frame: Extract<ClientFrame, { op: 'answer' }>): void {
    if (this.parts.asks.settle(this.connection, frame)) return;
    const message = 'No open question has this number.';
    if (this.parts.asks.wasAsked(frame.ask)) this.tell(ErrorCode.UnknownAsk, message, frame.id);
    else this.refuse(ErrorCode.UnknownAsk, message, frame.id);
  }

  private pong(id: FrameId | undefined): void {
    this.connection.sendFrame({ op: 'pong', ...idField(id) });
  }
}
