import {
  idempotencyKeyOf,
  type PushMessage,
  type ServerReply,
} from '../transport/transport-message.js';

interface Remembered {
  readonly reply: ServerReply;
  readonly until: number;
}

/** Push ids of the last while, with what was done, so that a repetition is answered and not delivered. */
export class RecentPushes {
  /** In the order of arrival, so the first is always the oldest. */
  private readonly replies = new Map<string, Remembered>();

  constructor(
    private readonly windowMs: number,
    private readonly maxIds: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Runs `deliver`, or returns what it returned for the same id and target. A push without id always runs. */
  once(push: PushMessage, deliver: () => ServerReply): ServerReply {
    const key = idempotencyKeyOf(push);
    if (key === undefined) return deliver();
    this.forgetOld();
    const known = this.replies.get(key);
    if (known !== undefined) return known.reply;
    const reply = deliver();
    if (tookPlace(push, reply)) {
      this.replies.set(key, { reply, until: this.now() + this.windowMs });
    }
    return reply;
  }

  private forgetOld(): void {
    for (const [key, { until }] of this.replies) {
      if (until > this.now() && this.replies.size < this.maxIds) return;
      this.replies.delete(key);
    }
  }
}

/** A push that reached nobody may be tried again under its id; server code may have observed one to a channel. */
function tookPlace({ target }: PushMessage, { delivered }: ServerReply): boolean {
  return delivered > 0 || target.kind === 'channel';
}
