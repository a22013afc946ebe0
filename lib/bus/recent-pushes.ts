import {
  idempotencyKeyOf,
  type PushMessage,
  type ServerReply,
} from '../transport/transport-message.js';

interface Remembered {
  readonly reply: ServerReply;
  readonly until: number;
}

/** Recent push ids with their replies, so that a repetition is answered but not delivered. */
export class RecentPushes {
  /** In order of arrival, so the first entry is always the oldest. */
  private readonly replies = new Map<string, Remembered>();

  constructor(
    private readonly windowMs: number,
    private readonly maxIds: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Runs `deliver`, or returns the earlier reply for this id, name and target. A push without an id always runs. */
  once(push: PushMessage, deliver: () => ServerReply): ServerReply {
    const key = idempotencyKeyOf(push);
    if (key === undefined) return deliver();
    this.forgetOld();
    const known = this.replies.get(key);
    if (known !== undefined) return known.reply;
    const reply = deliver();
    if (shouldRemember(push, reply)) this.remember(key, reply);
    return reply;
  }

  private forgetOld(): void {
    for (const [key, { until }] of this.replies) {
      if (until > this.now()) return;
      this.replies.delete(key);
    }
  }

  private remember(key: string, reply: ServerReply): void {
    const [oldest] = this.replies.keys();
    if (this.replies.size >= this.maxIds) this.replies.delete(oldest!);
    this.replies.set(key, { reply, until: this.now() + this.windowMs });
  }
}

/**
 * A push that reached nobody may be retried under its id, except one to a channel: server code may have observed it.
 */
function shouldRemember({ target }: PushMessage, { delivered }: ServerReply): boolean {
  return delivered > 0 || target.kind === 'channel';
}
