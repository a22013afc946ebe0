import type { LoopWsOptions } from '../../lib/index.js';
import { startRedis } from '../support/redis-server.js';
import { SentinelGroup } from '../support/sentinel-group.js';
import { Crowd } from './crowd.js';
import { Published } from './published.js';
import type { Random } from '../support/random.js';
import { RedisLink } from './redis-link.js';
import { SERVERS } from './scale.js';
import { FaultServers } from './servers.js';
import { Stage } from './stage.js';
import type { World } from './world.js';

/** Long enough that no master is replaced that is only slow, on a machine that is busy. In milliseconds. */
const DOWN_AFTER_MS = 3_000;

export async function onOneRedis(random: Random): Promise<Stage> {
  const redis = await startRedis();
  const links = await linksTo(redis.port);
  const world = await populate(random, (index) => ({
    host: '127.0.0.1',
    port: links[index]!.portTo(redis.port),
  }));
  return new Stage('On one Redis', { ...world, redis, links, losses: [] }, random);
}

/** A master and a replica, each behind proxies, that Sentinel watches. */
export async function onSentinels(random: Random): Promise<Stage> {
  const group = await SentinelGroup.start({ downAfterMs: DOWN_AFTER_MS });
  const both = [group.master, group.replica];
  const links = await linksTo(...both.map(({ port }) => port));
  const namedPorts = both.flatMap((server) =>
    group.portsOf(server).map((named) => [named, server.port] as const),
  );
  const world = await populate(random, (index) => ({
    ...group.options,
    natMap: Object.fromEntries(
      namedPorts.map(([named, port]) => [
        `127.0.0.1:${named}`,
        { host: '127.0.0.1', port: links[index]!.portTo(port) },
      ]),
    ),
  }));
  const all: World = {
    ...world,
    links,
    group,
    losses: [],
    get redis() {
      return group.master;
    },
  };
  return new Stage('On a master and a replica with Sentinel', all, random);
}

function linksTo(...ports: readonly number[]): Promise<RedisLink[]> {
  return Promise.all(Array.from({ length: SERVERS }, () => RedisLink.to(...ports)));
}

async function populate(
  random: Random,
  redis: (index: number) => NonNullable<LoopWsOptions['redis']>,
): Promise<Pick<World, 'servers' | 'crowd' | 'published'>> {
  const published = new Published();
  const servers = new FaultServers(redis, published.record);
  await Promise.all(Array.from({ length: SERVERS }, (_, index) => servers.start(index)));
  const crowd = new Crowd((own) => servers.running[own.below(SERVERS)]!.url, random.fork());
  return { servers, crowd, published };
}
