import { Controller, Get, Query } from '@nestjs/common';
import { PresenceStore, type PresentConnection } from 'nestjs-loopws';
import { z } from 'zod';

const page = z.object({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(100),
});

interface OnlineAccount {
  readonly accountId: string;
  readonly connections: readonly PresentConnection[];
}

interface Online {
  readonly count: { readonly accounts: number; readonly connections: number };
  readonly accounts: readonly OnlineAccount[];
  /** `after` of the next page; absent on the last one. */
  readonly next?: string;
}

@Controller('presence')
export class PresenceController {
  constructor(private readonly presence: PresenceStore) {}

  @Get()
  async online(@Query({ schema: page }) { after, limit }: z.infer<typeof page>): Promise<Online> {
    const { accounts, ...rest } = await this.presence.accounts({
      limit,
      ...(after === undefined ? {} : { after }),
    });
    return {
      count: await this.presence.count(),
      accounts: await Promise.all(accounts.map((accountId) => this.account(accountId))),
      ...rest,
    };
  }

  private async account(accountId: string): Promise<OnlineAccount> {
    return { accountId, connections: await this.presence.connectionsOf(accountId) };
  }
}
