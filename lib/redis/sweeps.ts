import type { LoopWsConfig } from '../loop-ws.config.js';
import { inParallel } from '../util/in-parallel.js';
import { CLAIM } from './membership.scripts.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisLink } from './redis-link.js';

const MEMBERS_AT_ONCE = 4;

/** Ensures that exactly one process sweeps what a dead member left, and finishes what it started. */
export class Sweeps {
  private running: Promise<void> | undefined;

  constructor(
    private readonly link: RedisLink,
    private readonly keys: RedisKeys,
    private readonly config: LoopWsConfig,
    private readonly sweep: (memberId: string) => Promise<void>,
  ) {}

  /**
   * Does nothing while an earlier run is in progress. Tries all members, then rejects with the first failure. The next
   * beat retries the members that were not swept.
   */
  async run(dead: readonly string[], sweeper: string): Promise<void> {
    if (this.running !== undefined || dead.length === 0) return;
    this.running = inParallel(MEMBERS_AT_ONCE, dead, (member) => this.sweepOne(member, sweeper));
    try {
      await this.running;
    } finally {
      this.running = undefined;
    }
  }

  private async sweepOne(member: string, sweeper: string): Promise<void> {
    const { servers, sweeps, swept } = this.keys;
    const args = [member, sweeper, this.config.serverTimeoutMs];
    const mine = await this.link.run<number>(CLAIM, [servers, sweeps, swept], args);
    if (mine !== 1) return;
    await this.sweep(member);
    await this.link.send(sweeps, 'HDEL', [sweeps, member]);
  }
}
