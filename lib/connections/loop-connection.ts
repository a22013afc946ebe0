import type { LoopEventData, LoopEventName, LoopPattern } from '../protocol/event-types.js';
import { CloseCode, isSendableCloseCode, truncateReason } from '../protocol/close-code.js';
import type { ServerFrame } from '../protocol/frames.js';
import { encodeServerFrame } from '../protocol/server-frame.encoder.js';
import type { PresenceRegistration } from '../presence/presence-store.js';
import { type LoopSocket, SOCKET_OPEN } from './loop-socket.js';
import type { Outbox } from './outbox.js';
import { ReplayGate } from './replay-gate.js';
import type { SubscriptionGroup } from './subscription-groups.js';
import { TextFrame } from './text-frame.js';

/** Keeps a connection's subscriptions and rooms: the registry, as its connections see it. */
export interface ConnectionMemberships {
  subscribe(connection: LoopConnection, patterns: readonly string[]): Promise<void>;
  unsubscribe(connection: LoopConnection, patterns: readonly string[]): void;
  join(connection: LoopConnection, room: string): Promise<void>;
  leave(connection: LoopConnection, room: string): void;
}

export interface ConnectionParts {
  readonly registration: PresenceRegistration;
  /** When its socket was opened, by the monotonic clock. */
  readonly openedAt: number;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly socket: LoopSocket;
  readonly outbox: Outbox;
  readonly memberships: ConnectionMemberships;
  /** Checks an event and encodes its frame. */
  readonly encode: (name: string, data: unknown) => TextFrame;
  readonly closeTimeoutMs: number;
  readonly end: ConnectionEnd;
}

/** Cleans up after the connection. */
export interface ConnectionEnd {
  /** Called when this server closes the connection. */
  begin(close: ConnectionClose): void;
}

export type ConnectionState = 'opening' | 'open' | 'closed';

/** How a connection ended. */
export interface ConnectionClose {
  /** The WebSocket close code; 1006 if the socket was cut without one. */
  readonly code: number;
  readonly reason: string;
}

const NONE: ReadonlySet<string> = new Set();

/** One socket of one account, as your handlers, hooks and services see it. */
export class LoopConnection {
  /** @internal */
  readonly registration: PresenceRegistration;
  /** Shared with all connections that hold the same patterns; absent while it holds none. @internal */
  group: SubscriptionGroup<LoopConnection> | undefined;

  private readonly openedAt: number;
  private readonly socket: LoopSocket;
  private readonly outbox: Outbox;
  private readonly memberships: ConnectionMemberships;
  private readonly encode: ConnectionParts['encode'];
  private readonly closeTimeoutMs: number;
  private readonly end: ConnectionEnd;
  private currentClaims: Readonly<Record<string, unknown>>;
  private currentState: ConnectionState = 'opening';
  // Most connections need none of these, so each is created on first use.
  private ownData: Record<string, unknown> | undefined;
  private ownRooms: Set<string> | undefined;
  private ownGate: ReplayGate | undefined;

  /** @internal */
  constructor(parts: ConnectionParts) {
    this.registration = parts.registration;
    this.openedAt = parts.openedAt;
    this.currentClaims = parts.claims;
    this.socket = parts.socket;
    this.outbox = parts.outbox;
    this.memberships = parts.memberships;
    this.encode = parts.encode;
    this.closeTimeoutMs = parts.closeTimeoutMs;
    this.end = parts.end;
  }

  get accountId(): string {
    return this.registration.accountId;
  }

  get connectionId(): string {
    return this.registration.connectionId;
  }

  /** Storage for whatever your code needs to remember about this connection. Lives as long as the connection. */
  get data(): Record<string, unknown> {
    return (this.ownData ??= {});
  }

  /** The claims that `authenticate` returned; replaced when the client refreshes its credentials. */
  get claims(): Readonly<Record<string, unknown>> {
    return this.currentClaims;
  }

  /** `opening` until the welcome frame, `closed` as soon as either side has closed. */
  get state(): ConnectionState {
    return this.currentState;
  }

  /** The patterns that this connection holds now; read it again after a change. */
  get subscriptions(): ReadonlySet<string> {
    return this.patterns;
  }

  /** The rooms that this connection is in. */
  get rooms(): ReadonlySet<string> {
    return (this.ownRooms ??= new Set());
  }

  /**
   * Subscribes on the server's own authority: `authorize` is not asked, but `maxSubscriptions` applies. Resolves when
   * every later push that matches will arrive; on a closed connection it resolves and does nothing. Rejects with a
   * `LoopWsError` if a pattern is invalid, a service is not declared or `maxSubscriptions` would be exceeded, and with
   * the transport's error if the transport fails. A call that rejects has subscribed nothing.
   */
  subscribe(...patterns: readonly LoopPattern[]): Promise<void> {
    return this.memberships.subscribe(this, patterns);
  }

  /**
   * Unsubscribes from patterns, whoever subscribed them. Neither the client nor `@OnLoopUnsubscribe` is told. Patterns
   * that the connection does not hold are ignored; on a closed connection it does nothing.
   */
  unsubscribe(...patterns: readonly LoopPattern[]): void {
    this.memberships.unsubscribe(this, patterns);
  }

  /**
   * Joins a room. Resolves when every later push to the room will arrive; on a closed connection it resolves and does
   * nothing. Rejects with a `LoopWsError` if the name is not a non-empty string of at most `maxIdLength` characters of
   * well-formed Unicode, or if `maxRooms` would be exceeded. Rejects with the transport's error if the transport fails.
   * A call that rejects has joined nothing.
   */
  join(room: string): Promise<void> {
    return this.memberships.join(this, room);
  }

  /** Leaves a room. A room that it is not in is ignored; on a closed connection it does nothing. */
  leave(room: string): void {
    this.memberships.leave(this, room);
  }

  /**
   * Sends one event to this connection, whatever its subscriptions. During `@OnLoopConnect` it is held until after the
   * welcome frame. Throws a `LoopPushError` for an event that `EventBus` would reject too.
   *
   * @returns `delivered` if the connection's queue took it, else `send_failed`.
   */
  send<N extends LoopEventName>(name: N, data: LoopEventData<N>): 'delivered' | 'send_failed' {
    return this.deliver(this.encode(name, data)) ? 'delivered' : 'send_failed';
  }

  /**
   * Closes the connection after everything that was accepted before has been written.
   *
   * @param code 1000, or an application code from 3000 to 4999. After 45xx the client stays away; after any other code,
   * the default 1000 included, it reconnects. A code that may not be sent is replaced by 1011.
   * @param reason Truncated to 123 bytes. Anything but a string is ignored.
   */
  close(code: number = CloseCode.Normal, reason = ''): void {
    if (this.currentState === 'closed') return;
    const sendable = isSendableCloseCode(code) ? code : CloseCode.InternalError;
    const text = typeof reason === 'string' ? reason : '';
    const { socket } = this;
    this.markClosed();
    socket.resume(); // a paused socket would never read the peer's close frame
    socket.close(sendable, truncateReason(text));
    setTimeout(() => socket.terminate(), this.closeTimeoutMs).unref();
    this.end.begin({ code: sendable, reason: text });
  }

  /** @internal */
  sendFrame(frame: ServerFrame): boolean {
    return this.deliver(new TextFrame(encodeServerFrame(frame)));
  }

  /** Queues a finished frame, or closes the connection if its reader is too slow. @internal */
  deliver(frame: TextFrame): boolean {
    if (this.currentState === 'closed' || this.socket.readyState !== SOCKET_OPEN) return false;
    if (this.outbox.offer(frame)) return true;
    this.close(CloseCode.ReaderTooSlow, 'The reader is too slow.');
    return false;
  }

  /** Whether the reader keeps up with what was sent. @internal */
  get hasCapacity(): boolean {
    return this.outbox.hasCapacity;
  }

  /** Resolves when there is room, or the connection is closed. @internal */
  untilCapacity(): Promise<void> {
    return this.outbox.untilCapacity();
  }

  /** @internal */
  get patterns(): ReadonlySet<string> {
    return this.group?.patterns ?? NONE;
  }

  /** Like `rooms`, but does not create the set. @internal */
  get roomNames(): ReadonlySet<string> {
    return this.ownRooms ?? NONE;
  }

  /** @internal */
  enter(room: string): void {
    this.ownRooms ??= new Set();
    this.ownRooms.add(room);
  }

  /** Returns whether it was in the room. @internal */
  exit(room: string): boolean {
    return this.ownRooms?.delete(room) ?? false;
  }

  /** @internal */
  get gate(): ReplayGate {
    return (this.ownGate ??= new ReplayGate());
  }

  /** @internal */
  isSubscribedToAny(patterns: readonly string[]): boolean {
    return patterns.some((pattern) => this.patterns.has(pattern));
  }

  /** @internal */
  refresh(claims: Readonly<Record<string, unknown>>): void {
    this.currentClaims = claims;
  }

  /** Whether its socket was opened after the other's, however long either took to get ready. @internal */
  isNewerThan(other: LoopConnection): boolean {
    return this.openedAt > other.openedAt;
  }

  /** How long ago its socket was opened, in milliseconds. @internal */
  get ageMs(): number {
    return performance.now() - this.openedAt;
  }

  /** Releases the queued frames, the welcome frame first. @internal */
  markOpen(welcome: ServerFrame): void {
    this.currentState = 'open';
    this.outbox.open(new TextFrame(encodeServerFrame(welcome)));
  }

  /** Writes what was accepted; nothing is delivered after this. @internal */
  markClosed(): void {
    this.currentState = 'closed';
    this.outbox.end();
  }
}
