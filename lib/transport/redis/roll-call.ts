import type { Membership } from '../../redis/membership.js';

/**
 * Lua: the number of subscribers of a channel; -1 when Redis does not report it, as can happen while its slot moves.
 */
export const SUBSCRIBERS = `
local function subscribers(count, channel) return redis.pcall('PUBSUB', count, channel)[2] or -1 end
`;

/**
 * Counts the processes that cannot hear a message sent now. The number of subscribers that Redis reports for a topic
 * proves nothing about a process whose subscribed connection happens to be broken. The number of subscribers of the
 * channel to which each process subscribes last does.
 */
export class RollCall {
  constructor(
    private readonly membership: Membership,
    /** Whether this process knows every other process that must be subscribed to the channel. */
    private readonly isSure: (everyone: string) => boolean,
  ) {}

  /**
   * Call this when the message is sent. Call the returned function once Redis has reported how many subscribers were
   * `hearing` at that moment; it returns how many may be missing. Surplus subscribers are processes unknown here, or
   * dead connections that Redis has not noticed; each may hide a missing process.
   */
  begin(everyone: string): (hearing: number) => number {
    const wasSure = this.isSure(everyone);
    const before = this.membership.size;
    return (hearing) => {
      const size = Math.max(before, this.membership.size); // one that left may have been a target
      const isProven = wasSure && this.isSure(everyone) && hearing <= size;
      return Math.max(size - hearing, isProven ? 0 : 1);
    };
  }
}
