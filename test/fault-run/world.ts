import type { RedisServer } from '../support/redis-server.js';
import type { SentinelGroup } from '../support/sentinel-group.js';
import type { Crowd } from './crowd.js';
import type { Loss } from './losses.js';
import type { Published } from './published.js';
import type { RedisLink } from './redis-link.js';
import type { FaultServers } from './servers.js';

/** What faults act on. */
export interface World {
  /** The one that serves, or the master now. */
  readonly redis: RedisServer;
  /** Of each server. */
  readonly links: readonly RedisLink[];
  /** Absent where there is one Redis only. */
  readonly group?: SentinelGroup;
  readonly servers: FaultServers;
  readonly crowd: Crowd;
  readonly published: Published;
  readonly losses: Loss[];
}
