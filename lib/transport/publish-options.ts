/** How a message is published. */
export interface PublishOptions {
  /** The longest wait for the receipt, in milliseconds. */
  readonly timeoutMs: number;
  /** `false` when nobody will read the receipt: no server needs to reply, and the receipt may be empty. */
  readonly receipt: boolean;
}
