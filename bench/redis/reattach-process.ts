/* One server with many accounts, without their sockets: what it keeps in Redis is real. */
import { setImmediate } from 'node:timers/promises';
import { resolveConfig } from '../../lib/loop-ws.config-reader.js';
import { RedisPresenceStore } from '../../lib/presence/redis/redis.presence-store.js';
import { RedisBackbone } from '../../lib/redis/redis-backbone.js';
import { RedisTransport } from '../../lib/transport/redis/redis.transport.js';
import { SampledLogger } from '../../lib/util/sampled-logger.js';
import { type EventLoopReport, EventLoopWatch } from '../support/event-loop-watch.js';
import { serve } from '../support/remote.js';

/** Accounts that connect in one turn of the event loop. */
const WAVE = 500;

const SERVER_ID = 'reattach';

let transport: RedisTransport;
let presence: RedisPresenceStore;
let watch: EventLoopWatch;

const service = {
  async start({ redis }: { redis: string }): Promise<void> {
    const config = resolveConfig();
    const backbone = await RedisBackbone.create(redis, 'bench', config, new SampledLogger(config));
    transport = new RedisTransport(backbone);
    presence = new RedisPresenceStore(backbone);
    const receive = (): { delivered: number; filtered: number; failed: number } => ({
      delivered: 1,
      filtered: 0,
      failed: 0,
    });
    await transport.start({ serverId: SERVER_ID, receive, mayHaveMissed() {} });
    const edges = { offline() {}, online() {} };
    await presence.start({ serverId: SERVER_ID, graceMs: config.presenceGraceMs, edges });
  },

  async attach({ accounts }: { accounts: number }): Promise<void> {
    await inWaves(accounts, (account) => transport.attach([{ kind: 'account', name: account }]));
  },

  async register({ accounts }: { accounts: number }): Promise<void> {
    await inWaves(accounts, (accountId, at) =>
      presence.register({
        accountId,
        connectionId: `tab-${at}`,
        serverId: SERVER_ID,
        registration: `registration-${at}`,
      }),
    );
  },

  async count(): Promise<{ accounts: number; connections: number }> {
    return presence.count();
  },

  async watch(): Promise<void> {
    watch = new EventLoopWatch();
  },

  async report(): Promise<EventLoopReport> {
    return watch.end();
  },
};

export type ReattachProcess = typeof service;

/** Each wave begins when the one before has been done. */
async function inWaves(
  count: number,
  work: (account: string, at: number) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < count; from += WAVE) {
    const wave = Array.from({ length: Math.min(WAVE, count - from) }, (_, at) => from + at);
    await Promise.all(wave.map((at) => work(`account-${at}`, at)));
    await setImmediate();
  }
}

serve(service);
