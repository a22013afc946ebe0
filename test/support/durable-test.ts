import type { LoopWsOptions } from '../../lib/index.js';
import { pushKept } from './durable-client.js';
import { type FaultTest, faultTest } from './fault-test.js';
import type { LoopApp, LoopAppOptions } from './loop-app.js';

const KEEPS_CHAT: LoopAppOptions = {
  services: { chat: { history: { size: 50, ttlMs: 600_000 } }, plain: {} },
  defaultSubscriptions: ['chat:*'],
};

/** One server that tests push from, and one that clients connect to. */
export interface DurableServers {
  readonly publisher: LoopApp;
  readonly server: LoopApp;
  /** Pushes to the account `acme` until Redis has confirmed it, and resolves with its position. */
  readonly push: (data: unknown) => Promise<string>;
}

export interface DurableTest extends Pick<FaultTest, 'startServer'> {
  startServers(
    redis: LoopWsOptions['redis'],
    config?: LoopAppOptions['config'],
  ): Promise<DurableServers>;
}

/** A {@link faultTest} whose servers keep the history of `chat`, and none of `plain`. */
export function durableTest(): DurableTest {
  const faults = faultTest();
  const startServer: DurableTest['startServer'] = (serverId, redis, options) =>
    faults.startServer(serverId, redis, { ...KEEPS_CHAT, ...options });
  return {
    startServer,
    async startServers(redis, config = {}) {
      const publisher = await startServer('publisher', redis, { config });
      const server = await startServer('server', redis, { config });
      return { publisher, server, push: (data) => pushKept(publisher, data) };
    },
  };
}
