/* One server whose clients come back, with a watch on its event loop. */
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { EventBus, LoopWsModule } from '../../lib/index.js';
import { type EventLoopReport, EventLoopWatch } from '../support/event-loop-watch.js';
import { serve } from '../support/remote.js';

let bus: EventBus;
let watch: EventLoopWatch | undefined;

const service = {
  /** Resolves with its port. */
  async start({ redis, serverId }: { redis: string; serverId: string }): Promise<number> {
    const imports = [
      LoopWsModule.forRoot({
        services: { orders: { history: { size: 1_000, ttlMs: 600_000 } } },
        defaultSubscriptions: ['orders:*'],
        redis,
        serverId,
        // Else the server spreads them over 16 seconds: 2 000 at once, then 500 per second.
        config: { upgradesPerSecond: 100_000, upgradeBurst: 100_000 },
        authenticate: ({ token }) => (token ? { accountId: token } : null),
      }),
    ];
    const module = { module: class AppModule {}, imports };
    const app = await NestFactory.create(module, { logger: ['error', 'warn'] });
    await app.listen(0, '127.0.0.1');
    bus = app.get(EventBus);
    return (app.getHttpServer() as { address(): AddressInfo }).address().port;
  },

  /** Pushes so often to all, and once to each account. */
  async push({ toAll, accounts }: { toAll: number; accounts: readonly string[] }): Promise<void> {
    for (let n = 0; n < toAll; n++) await bus.pushToChannel('orders:all', { n });
    await Promise.all(
      accounts.map((account) =>
        bus.pushToAccount(account, 'orders:changed', { account }, { receipt: false }),
      ),
    );
  },

  async watch(): Promise<void> {
    watch = new EventLoopWatch();
  },

  async report(): Promise<EventLoopReport> {
    return watch!.end();
  },
};

export type ResumeProcess = typeof service;

serve(service);
