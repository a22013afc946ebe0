import type { ClientDiary } from '../../lib/testing/index.js';

/** A client that comes back for ever, to any server, and keeps a diary. */
export interface Visitor {
  readonly accountId: string;
  readonly diary: ClientDiary;
  /** From when on everything durable has to reach it, in milliseconds since 1970. */
  readonly promisedFrom: number;
  /** Whether it is connected and has all that it missed. */
  readonly isConnected: boolean;
  /** Loses its connection, if it has one, and comes back. */
  drop(): void;
  /** Resolves when it has no connection and will get none until it may {@link comeBack}. */
  sendAway(): Promise<void>;
  comeBack(): void;
  /** Resolves when it has all that its server has sent so far. Rejects when it is not connected. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

/** What a visitor of either kind needs. */
export interface VisitorOptions {
  readonly accountId: string;
  readonly connectionId: string;
  /** Of the server to connect to, asked at every attempt. */
  readonly pickUrl: () => string;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** How long one is not connected after its connection ended, at most, in milliseconds. */
export const LONGEST_AWAY_MS = 400;
