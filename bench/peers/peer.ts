/** What a peer is started with. */
export interface PeerOptions {
  /** Handlers of inbound events, each behind a guard and a pipe where the peer has such. */
  readonly handlers: number;
  /** Patterns, rooms or the like that each connection subscribes to, the one that all share among them. */
  readonly subscriptions: number;
  /** How often a connection is asked whether it lives, in milliseconds. Default: that of the peer. */
  readonly heartbeatMs?: number;
  /** Of a Redis that several servers share; absent for one server. */
  readonly redis?: string;
  /** Its clients listen to another event of the same service instead of the one that is published. */
  readonly aside?: boolean;
}

/** A server of one kind, running. Every client listens to one channel that all share, and belongs to an account. */
export interface Peer {
  readonly port: number;
  /** Publishes to everyone, before it returns. */
  publishToAll(event: PeerEvent): void;
  /** Publishes to one account, before it returns. */
  publishToAccount(account: string, event: PeerEvent): void;
  /** Inbound events that a handler was called with so far. */
  readonly handled: number;
}

/** What is published: numbered, so that clients see what is missing, and as long as wanted. */
export interface PeerEvent {
  /** The number, of a fixed length. */
  readonly n: string;
  /** When it was published, in microseconds of the machine's monotonic clock, of a fixed length. */
  readonly t: string;
  readonly pad: string;
}

export type StartPeer = (options: PeerOptions) => Promise<Peer>;

/** Name of the event that is published, the same for every peer. */
export const EVENT = 'feed:item.changed';

/** Name of the inbound event that handler `at` takes. */
export function inboundEvent(at: number): `${string}:${string}` {
  return `work:item.take${at}`;
}

/** What a connection is subscribed to. */
export function subscriptionsOf({ subscriptions, aside }: PeerOptions): string[] {
  const others = Array.from({ length: subscriptions - 1 }, (_, at) => `feed:other${at}.changed`);
  return [aside ? 'feed:aside.changed' : EVENT, ...others];
}
