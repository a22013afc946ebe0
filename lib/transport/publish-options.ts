/** How a message is published. */
export interface PublishOptions {
  /** How long to wait for the receipt at most, in milliseconds. */
  readonly timeoutMs: number;
  /** `false` when nobody will read the receipt: no server needs to reply, and the receipt may be empty. */
  readonly receipt: boolean;
}
