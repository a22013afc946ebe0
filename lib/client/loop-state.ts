import type { WelcomeFrame } from '../protocol/frames.js';

/** A state that a client has entered, with what is known about it. Testing `state` narrows the rest. */
export type LoopStateChange =
  | {
      /** Waiting for a token, a socket and the server's welcome. */
      readonly state: 'connecting';
      /** Failed attempts since the last stable connection. */
      readonly attempt: number;
    }
  | {
      /** The server has sent its welcome: frames flow. */
      readonly state: 'open';
      readonly welcome: WelcomeFrame;
    }
  | {
      /** There is no connection, and another attempt will follow. */
      readonly state: 'waiting';
      /** A close code of the protocol, or 1006 when the socket ended without one. */
      readonly code: number;
      /** What the server said; empty when the client ended the connection. */
      readonly reason: string;
      readonly nextAttemptMs: number;
    }
  | {
      /** Permanently closed: the application closed the client, or the server said not to come back (45xx). */
      readonly state: 'closed';
      readonly code: number;
      readonly reason: string;
    };

export type LoopState = LoopStateChange['state'];

/** The state of a client. Its link writes it, and everyone reads it. */
export interface LoopStatus {
  state: LoopState;
  /** The last welcome: as long as it is the same object, so is the connection. */
  welcome: WelcomeFrame | undefined;
}

/** An object that differs for each connection; `undefined` when none is open. */
export function openConnection({ state, welcome }: Readonly<LoopStatus>): WelcomeFrame | undefined {
  return state === 'open' ? welcome : undefined;
}
