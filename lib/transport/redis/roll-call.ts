import type { Membership } from '../../redis/membership.js';

/** Lua: how many are subscribed to a channel; -1 where Redis does not tell, which some do while its slot moves. */
export const SUBSCRIBERS = `
local function subscribers(count, channel) return redis.pcall('PUBSUB', count, channel)[2] or -1 end
`;

/**
 * Counts the processes that cannot hear a message that is sent now. The number of subscribers that Redis reports for a
 * topic proves nothing about a process whose subscribed connection is just broken; the number of subscribers of the
 * channel that each process takes last does.
 */
export class RollCall {
  constructor(
    private readonly membership: Membership,
    /** Whether this process knows every other that must be subscribed to the channel. */
    private readonly isSure: (everyone: string) => boolean,
  ) {}

  /**
   * Call it when the message is sent, and what it returns when Redis has told how many were `hearing` at the moment of the
   * message. More than there should be are processes unknown here, or connections of which Redis does not know that they
   * are dead; behind each of them one may hide that is missing.
   */
  begin(everyone: string): (hearing: number) => number {
    const wasSure = this.isSure(everyone);
    const before = this.membership.size;
    return (hearing) => {
      const size = Math.max(before, this.membership.size); // one that has left meanwhile may have been meant
      const isProven = wasSure && this.isSure(everyone) && hearing <= size;
      return Math.max(size - hearing, isProven ? 0 : 1);
    };
  }
}
