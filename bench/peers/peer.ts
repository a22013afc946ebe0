/** What a peer is started with. */
export interface PeerOptions {
  /** Handlers of inbound events, each behind a guard and a pipe where the peer has such. */
  readonly handlers: number;
  /** Patterns, rooms or the like that each connection subscribes to, the one that all share among them. */
  readonly subscriptions: number;
  /** Interval of the heartbeat where the peer has one, in milliseconds. Default: the peer's own. */
  readonly heartbeatMs?: number;
  /** Bytes that may wait for a slow reader, where the peer bounds them. Default: the peer's own. */
  readonly maxQueueBytes?: number;
  /** Of a Redis that several servers share; absent for one server. */
  readonly redis?: string;
  /** Its clients listen to another event of the same service instead of the one that is published. */
  readonly aside?: boolean;
}

/** A server of one kind, running. Every client listens to one channel that all share, and belongs to an account. */
export interface Peer {
  readonly port: number;
  /** How many clients are connected now. */
  readonly connections: number;
  /** Publishes to everyone, before it returns. */
  publishToAll(event: PeerEvent): void;
  /** Publishes to one account, before it returns. */
  publishToAccount(account: string, event: PeerEvent): void;
}

/** What is published: numbered, so that clients see what is missing, and as long as wanted. */
export interface PeerEvent {
  /** The number, of a fixed length. */
  readonly n: string;
  /** When it was published, in microseconds of the machine's monotonic clock, of a fixed length. */
  readonly t: string;
  readonly pad: string;
}

/** The account of a client, which is its bearer token. */
export function accountIn({
  authorization,
}: {
  readonly authorization?: string | undefined;
}): string {
  return authorization!.slice('Bearer '.length);
}

/** The frame of an event for the peers that have no format of their own. */
export function encodeEvent(data: PeerEvent): string {
  return JSON.stringify({ event: EVENT, data });
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
