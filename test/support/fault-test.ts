import type { LoopWsOptions } from '../../lib/index.js';
import { edgeLog } from './edge-log.js';
import { eventually } from './eventually.js';
import { closeLoopApps, type LoopApp, type LoopAppOptions, startLoopApp } from './loop-app.js';
import { stopLedgers } from './push-ledger.js';
import { endRedisServers, resumeRedisServers } from './redis-server.js';
import { endSentinels } from './sentinel-group.js';
import { closeProxies } from './tcp-proxy.js';

/** Everything fast, so that a fault and its healing fit into a test. */
export const QUICK = {
  serverBeatMs: 100,
  serverTimeoutMs: 2_000,
  redisCommandTimeoutMs: 600,
  redisReconnectBaseMs: 20,
  redisReconnectCapMs: 100,
  receiptTimeoutMs: 600,
};

/** Closing a server may wait for a Redis that is slow. */
const CLOSING_MS = 20_000;

export interface FaultTest {
  /** Presence edges that the servers of the running test reported, in order. */
  readonly edges: readonly string[];
  /** A server of one bus in this process. */
  startServer(
    serverId: string,
    redis: LoopWsOptions['redis'],
    options?: LoopAppOptions,
  ): Promise<LoopApp>;
}

/**
 * Call it once per file: after each test it ends whatever the test started, and fails it for a rejection that nobody
 * handled.
 */
export function faultTest(): FaultTest {
  const edges: string[] = [];
  const rejections: unknown[] = [];
  const noteRejection = (error: unknown): void => void rejections.push(error);

  beforeEach(() => {
    edges.length = 0;
    rejections.length = 0;
    process.on('unhandledRejection', noteRejection);
  });

  afterEach(async () => {
    stopLedgers();
    resumeRedisServers();
    await closeLoopApps();
    closeProxies();
    endSentinels();
    endRedisServers();
    process.off('unhandledRejection', noteRejection);
    if (rejections.length > 0)
      throw new AggregateError(rejections, 'Rejections that nobody handled');
  }, CLOSING_MS);

  return {
    edges,
    startServer(serverId, redis, options = {}) {
      const config = { ...QUICK, ...options.config };
      return startLoopApp({
        providers: [edgeLog(edges)],
        options: { redis, serverId, ...options, config },
      });
    },
  };
}

/** Whether every server has answered, those included that may only be out of reach. */
export async function isWhole(from: LoopApp, account = 'acme'): Promise<boolean> {
  return (await from.bus.pushToAccount(account, 'chat:probe', 0)).complete;
}

/** Pushes until one arrives: the bus has healed by itself. */
export async function healed(
  from: LoopApp,
  connectionId: string,
  withinMs?: number,
): Promise<void> {
  await eventually(
    'a push crosses servers again',
    async () => {
      const result = await from.bus.pushToConnection('acme', connectionId, 'chat:probe', 0);
      return result === 'delivered' && isWhole(from);
    },
    withinMs,
  );
}
