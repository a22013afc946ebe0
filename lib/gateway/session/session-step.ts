/** The steps of opening a connection. Each step comes after those above it. */
export const Step = {
  /** It listens to its socket and is watched by the heartbeat; the connection may subscribe and join rooms. */
  Listening: 0,
  /** This server has asked for what other servers send to the account. */
  Attached: 1,
  /** `@OnLoopConnect` has accepted the connection. */
  Accepted: 2,
  /** The presence store has answered the registration, with success or failure. */
  Registered: 3,
} as const;

export type Step = (typeof Step)[keyof typeof Step];
