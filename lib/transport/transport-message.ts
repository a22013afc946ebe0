import type { AnswerError } from '../protocol/frames.js';
import type { Place } from './position.js';
import { accountTopic, type Topic } from './topic.js';

/** A connection, as everybody can name it. */
export interface ConnectionRef {
  readonly accountId: string;
  readonly connectionId: string;
}

/** Who a push is for. A channel is everyone whose subscriptions match. */
export type PushTarget =
  | { readonly kind: 'connection'; readonly accountId: string; readonly connectionId: string }
  | { readonly kind: 'account'; readonly accountId: string }
  | { readonly kind: 'room'; readonly room: string }
  | { readonly kind: 'channel' };

/** An event on its way. `frame` is the finished text for clients: a receiving server never parses it. */
export interface PushMessage {
  readonly kind: 'push';
  readonly target: PushTarget;
  readonly name: string;
  readonly frame: string;
  /** How long it may wait, in milliseconds. A transport hands over what is left of it: 0 or less is too late. */
  readonly ttlMs: number;
  /** Makes repeated pushes to the same target one. */
  readonly id?: string;
  /** Connections that are left out; a bare id leaves out that connection of every account. */
  readonly except?: readonly (string | ConnectionRef)[];
  /** Of one that is kept in the history of its topic. */
  readonly place?: Place;
}

/** What a repetition has in common with the first; `undefined` for a push that is never taken for one. */
export function idempotencyKeyOf({ id, name, target }: PushMessage): string | undefined {
  return id === undefined ? undefined : JSON.stringify([id, name, target]);
}

/** A question to one connection, answered by the server that has it. `data` is JSON text, absent for none. */
export interface AskMessage {
  readonly kind: 'ask';
  readonly connection: ConnectionRef;
  readonly name: string;
  readonly data: string | undefined;
  readonly timeoutMs: number;
}

/** An order to close an account's connections, all of them or one. */
export interface DisconnectMessage {
  readonly kind: 'disconnect';
  readonly accountId: string;
  readonly connectionId?: string;
  /** Only this registration of the connection: its successor under the same identity stays. */
  readonly registration?: string;
  readonly code: number;
  readonly reason: string;
}

export type TransportMessage = PushMessage | AskMessage | DisconnectMessage;

/** What a client answered. `data` is JSON text, absent for none. */
export type AskAnswer =
  | { readonly ok: true; readonly data: string | undefined }
  | { readonly ok: false; readonly error: AnswerError };

/** What one server did with a message. */
export interface ServerReply {
  /** Connections that the message reached: it was queued, answered, or they were closed. */
  readonly delivered: number;
  /** Connections that were meant and have no matching subscription. */
  readonly filtered: number;
  /** Connections that could not take it. */
  readonly failed: number;
  /** It is for somebody here of whom it cannot be told yet: what was before it is being replayed, or was lost. */
  readonly isOpen?: true;
  /** Only for questions. */
  readonly answer?: AskAnswer;
}

/** Nobody was meant here. */
export const NOTHING_DONE: ServerReply = { delivered: 0, filtered: 0, failed: 0 };

/** Whoever is here, it cannot be told what became of it. */
export const UNKNOWN_YET: ServerReply = { ...NOTHING_DONE, isOpen: true };

/** What the other servers did. `expected` of them had to answer, `replies` are those that did in time. */
export interface TransportReceipt {
  readonly expected: number;
  readonly replies: readonly ServerReply[];
}

/** The topic that carries a push. */
export function topicOf(target: PushTarget, service: string): Topic {
  switch (target.kind) {
    case 'connection':
    case 'account':
      return accountTopic(target);
    case 'room':
      return { kind: 'room', name: target.room };
    case 'channel':
      return { kind: 'service', name: service };
  }
}
