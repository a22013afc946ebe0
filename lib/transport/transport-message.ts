import type { AnswerError } from '../protocol/frames.js';
import type { Place } from './position.js';
import { accountTopic, type Topic } from './topic.js';

/** Identifies a connection on any server. */
export interface ConnectionRef {
  readonly accountId: string;
  readonly connectionId: string;
}

/** Who a push is for. The channel is everyone whose subscriptions match the event. */
export type PushTarget =
  | { readonly kind: 'connection'; readonly accountId: string; readonly connectionId: string }
  | { readonly kind: 'account'; readonly accountId: string }
  | { readonly kind: 'room'; readonly room: string }
  | { readonly kind: 'channel' };

/** An event in transit. `frame` is the complete frame for clients; a receiving server never parses it. */
export interface PushMessage {
  readonly kind: 'push';
  readonly target: PushTarget;
  readonly name: string;
  readonly frame: string;
  /**
   * How long the push may wait, in milliseconds. A transport passes on the remaining time; 0 or less means too late.
   */
  readonly ttlMs: number;
  /** Repeated pushes with the same id, name and target count as one. */
  readonly id?: string;
  /** Connections to leave out. A plain string leaves out the connection with that id in every account. */
  readonly except?: readonly (string | ConnectionRef)[];
  /** Present when the push is kept in the history of its topic. */
  readonly place?: Place;
}

/** The key that a repetition shares with the first push; `undefined` for a push without an id, which is never one. */
export function idempotencyKeyOf({ id, name, target }: PushMessage): string | undefined {
  return id === undefined ? undefined : JSON.stringify([id, name, target]);
}

/**
 * A question to one connection, answered by the server that has it. `data` is a JSON string, `undefined` for no data.
 */
export interface AskMessage {
  readonly kind: 'ask';
  readonly connection: ConnectionRef;
  readonly name: string;
  readonly data: string | undefined;
  readonly timeoutMs: number;
}

/** An order to close all connections of an account, or one of them. */
export interface DisconnectMessage {
  readonly kind: 'disconnect';
  readonly accountId: string;
  readonly connectionId?: string;
  readonly code: number;
  readonly reason: string;
}

/** A connection of another server has the same identity as this one: of the two, the one that was opened first closes. */
export interface ReplaceMessage {
  readonly kind: 'replace';
  readonly accountId: string;
  /** Of the connection that presumably was opened first. */
  readonly registration: string;
  /** How long ago the other one was opened, in milliseconds. */
  readonly ageMs: number;
}

export type TransportMessage = PushMessage | AskMessage | DisconnectMessage | ReplaceMessage;

/** What a client answered. `data` is a JSON string, `undefined` for no data. */
export type AskAnswer =
  | { readonly ok: true; readonly data: string | undefined }
  | { readonly ok: false; readonly error: AnswerError };

/** What one server did with a message. */
export interface ServerReply {
  /** Connections that the message reached: a push was queued, a question answered, or the connection closed. */
  readonly delivered: number;
  /** Targeted connections that have no matching subscription, or are newer than the one that would replace them. */
  readonly filtered: number;
  /** Targeted connections that could not take the message. */
  readonly failed: number;
  /** Set while the outcome for a connection here is not known: earlier pushes are being replayed, or were lost. */
  readonly isOpen?: true;
  /** Present only in replies to questions. */
  readonly answer?: AskAnswer;
}

/** The message targeted nobody on this server. */
export const EMPTY_REPLY: ServerReply = { delivered: 0, filtered: 0, failed: 0 };

/** The outcome of the message on this server is not known. */
export const OUTCOME_UNKNOWN: ServerReply = { ...EMPTY_REPLY, isOpen: true };

/** What the other servers did. `expected` is how many had to reply, `replies` are the replies that arrived in time. */
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
