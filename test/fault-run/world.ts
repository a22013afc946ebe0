import type { PublishedEvent } from '../../lib/testing/index.js';
import type { RedisServer } from '../support/redis-server.js';
import type { SentinelGroup } from '../support/sentinel-group.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import type { Crowd } from './crowd.js';
import type { FaultServers } from './servers.js';

/** By publisher and number: what is recorded last of a push is what is known of it. */
export class Published {
  private readonly events = new Map<string, PublishedEvent>();
  private readonly confirmedAt = new Map<string, number>();

  readonly record = (event: PublishedEvent): void => {
    this.events.set(`${event.publisher} ${event.number}`, event);
    if (event.position !== undefined) this.confirmedAt.set(event.publisher, event.at); // when it was called
  };

  get all(): PublishedEvent[] {
    return [...this.events.values()];
  }

  /** When a durable push of the publisher was confirmed last, in milliseconds since 1970. */
  lastConfirmed(publisher: string): number {
    return this.confirmedAt.get(publisher) ?? 0;
  }
}

/** Something that makes resets true: histories were lost, all of them or one account's. */
export interface Loss {
  readonly kind: string;
  readonly at: number;
  readonly account?: string;
}

/** What faults act on. */
export interface World {
  readonly redis: RedisServer;
  /** Between each server and Redis. Absent in a group that Sentinel watches. */
  readonly proxies: readonly TcpProxy[];
  readonly group?: SentinelGroup;
  readonly servers: FaultServers;
  readonly crowd: Crowd;
  readonly published: Published;
  readonly losses: Loss[];
}
