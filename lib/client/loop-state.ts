import type { WelcomeFrame } from '../protocol/frames.js';

/** What was learnt when a connection ended. */
export interface LoopCloseDetail {
  /** A close code of the protocol, or 1006 when the socket ended without one. */
  readonly code: number;
  readonly reason: string;
}

/** Every state of a client, with what is known on entering it. */
export interface LoopStateDetails {
  /** A token, a socket and the server's welcome are being waited for. `attempt` counts the failures before it. */
  connecting: { readonly attempt: number };
  /** The server has said welcome: frames flow. */
  open: { readonly welcome: WelcomeFrame };
  /** There is no connection; the next attempt starts in `nextAttemptMs`. */
  waiting: LoopCloseDetail & { readonly nextAttemptMs: number };
  /** For good: the application closed the client, or the server said not to come back (45xx). */
  closed: LoopCloseDetail;
}

export type LoopState = keyof LoopStateDetails;

/** Arguments of a state listener: a union of pairs, so testing the state narrows the detail. */
export type LoopStateChange = {
  [State in LoopState]: [state: State, detail: LoopStateDetails[State]];
}[LoopState];
