/* What the model of the capacity is made of, measured on this machine. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Load, measureFanOut, microsOf } from '../axes/fan-out.js';
import { type Cost, type Load as RigLoad, Rig } from '../peers/rig.js';
import { startCluster } from '../peers/rigs.js';
import { type Line, lineThrough } from '../support/linear-fit.js';
import { median } from '../support/statistics.js';

const CONNECTIONS = [100, 1_000, 4_000, 10_000];
/** The most connections of a server that were measured. */
export const MOST_CONNECTIONS = Math.max(...CONNECTIONS);
const CONNECTIONS_WITH_HEARTBEAT = 4_000;
/** Of the cluster in which pushes go from the first server to accounts of the others. */
const SERVERS = 8;
const ACCOUNTS_OF_EACH = 150;
const SUBSCRIBED_SERVERS = [1, 2, 4, 7];
const EVENTS_THROUGH_REDIS = 800;
const HEARTBEAT_MS = 2_000;
const IDLE_MS = 5_000;
const ROUNDS = 5;

export type Points = readonly (readonly [x: number, y: number])[];

export interface Measured {
  readonly points: Points;
  readonly line: Line;
}

/** A push to one account of another server, with its result: microseconds of CPU of each of the three. */
export interface PushCost {
  readonly publisher: number;
  readonly redis: number;
  readonly receiver: number;
}

/** An account that comes online with one connection: microseconds of CPU of its server and of Redis. */
export interface OpeningCost {
  readonly server: number;
  readonly redis: number;
}

/** All in microseconds of CPU and bytes. */
export interface CapacityPoints {
  /** An event to all connections of a server, by connections. */
  readonly broadcast: Measured;
  /** The same in Redis, with the results of all servers, by servers. */
  readonly redisBroadcast: Measured;
  /** What servers that do nothing cost Redis in a second, by servers. */
  readonly redisIdle: Measured;
  /** Memory of a server's process, by connections. */
  readonly memory: Measured;
  /** What the kernel holds for one end of a connection that does nothing. */
  readonly kernelBytes: number;
  /** One heartbeat of a connection. */
  readonly heartbeat: number;
  /** Where each is alone in its turn of the event loop, one per millisecond. */
  readonly pushAlone: PushCost;
  /** Where 16 share a turn. */
  readonly pushTogether: PushCost;
  /** What one more account with a connection takes in Redis. */
  readonly redisBytesPerAccount: number;
  readonly comingBack: OpeningCost;
}

export async function measureCapacityPoints(): Promise<CapacityPoints> {
  return {
    broadcast: await broadcast(),
    ...(await throughRedis()),
    ...(await memory()),
    heartbeat: await heartbeat(),
    ...(await across()),
  };
}

const measured = (points: Points): Measured => ({ points, line: lineThrough(points) });

async function broadcast(): Promise<Measured> {
  const loads = CONNECTIONS.map((connections): Load => ({ connections, perTick: 1, bytes: 200 }));
  const fanOut = await measureFanOut(loads, ROUNDS, ['loopws']);
  const pointOf = (load: Load): [number, number] => [
    load.connections,
    median(microsOf(fanOut, load, 'loopws')) * load.connections,
  ];
  return measured(loads.map(pointOf));
}

/** By servers that have a connection each; one more publishes. */
async function throughRedis(): Promise<Pick<CapacityPoints, 'redisBroadcast' | 'redisIdle'>> {
  const broadcasts: [number, number][] = [];
  const idle: [number, number][] = [];
  for (const servers of SUBSCRIBED_SERVERS) {
    const rig = await startCluster('loopws, results', servers + 1);
    for (let server = 1; server <= servers; server++) await rig.connect(1, server);
    // One by one, as they come when a cluster is not flooded: then Redis writes each to each server.
    const order = { events: EVENTS_THROUGH_REDIS, perTick: 1, everyMs: 1, bytes: 200 };
    await rig.publish(order);
    const idleCost = await measureIdle(rig);
    const micros: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { redisMicros, ms } = await rig.measure(() => rig.publish(order));
      const ofIdle = (idleCost.redisMicros * ms) / idleCost.ms;
      micros.push((redisMicros - ofIdle) / EVENTS_THROUGH_REDIS);
    }
    idle.push([servers + 1, (idleCost.redisMicros / idleCost.ms) * 1_000]);
    broadcasts.push([servers, median(micros)]);
    await rig.end();
  }
  return { redisBroadcast: measured(broadcasts), redisIdle: measured(idle) };
}

/** While nobody pushes. */
function measureIdle(rig: Rig): Promise<Cost> {
  return rig.measure(() => delay(IDLE_MS));
}

/** Both ends of each connection are on this machine. */
async function memory(): Promise<Pick<CapacityPoints, 'memory' | 'kernelBytes'>> {
  const points: [number, number][] = [];
  const rig = await Rig.start('loopws', { handlers: 20, subscriptions: 5 });
  const kernelBefore = await kernelBytes();
  for (const connections of CONNECTIONS) {
    await rig.connect(connections - rig.size);
    const { rssBytes } = await rig.server.call('usageAtRest', undefined);
    points.push([connections, rssBytes]);
  }
  const held = (await kernelBytes()) - kernelBefore;
  const result = { memory: measured(points), kernelBytes: held / (2 * rig.size) };
  await rig.end();
  return result;
}

/** Structures of the kernel that it cannot take back. */
async function kernelBytes(): Promise<number> {
  const meminfo = await readFile('/proc/meminfo', 'utf8');
  return Number(/SUnreclaim:\s+(\d+) kB/.exec(meminfo)![1]) * 1_024;
}

/** A server with connections that do nothing, less one without. */
async function heartbeat(): Promise<number> {
  const rig = await Rig.start('loopws', {
    handlers: 0,
    subscriptions: 1,
    heartbeatMs: HEARTBEAT_MS,
  });
  const beats = 3;
  const idle = async (): Promise<number> =>
    (await rig.measure(() => delay(beats * HEARTBEAT_MS))).servers[0]!;
  const empty = await idle();
  await rig.connect(CONNECTIONS_WITH_HEARTBEAT);
  await delay(HEARTBEAT_MS);
  const full = await idle();
  await rig.end();
  return (full - empty) / (beats * CONNECTIONS_WITH_HEARTBEAT);
}

async function across(): Promise<
  Pick<CapacityPoints, 'pushAlone' | 'pushTogether' | 'redisBytesPerAccount' | 'comingBack'>
> {
  const rig = await startCluster('loopws, results', SERVERS);
  for (let server = 1; server < SERVERS; server++) await rig.connect(ACCOUNTS_OF_EACH, server);
  const pushAlone = await pushCost(rig, { perTick: 1, everyMs: 1, events: 2 });
  const pushTogether = await pushCost(rig, { perTick: 16, everyMs: 5, events: 10 });
  const opened = await openAccounts(rig);
  await rig.end();
  return { pushAlone, pushTogether, ...opened };
}

/** Each event goes to each account, in a push of its own. */
async function pushCost(rig: Rig, load: RigLoad): Promise<PushCost> {
  const clients = Array.from({ length: rig.size }, (_, at) => at);
  const push = (): Promise<void> => rig.publishTo(clients, { ...load, bytes: 200 });
  const idle = await measureIdle(rig);
  await push();
  const costs: Cost[] = [];
  for (let round = 0; round < ROUNDS; round++) costs.push(await rig.measure(push));
  const perPush = (partOf: (cost: Cost) => number): number =>
    median(costs.map((cost) => partOf(cost) - (partOf(idle) * cost.ms) / idle.ms)) /
    (clients.length * load.events);
  return {
    publisher: perPush(({ servers }) => servers[0]!),
    redis: perPush(({ redisMicros }) => redisMicros),
    receiver: perPush(({ servers }) => servers.slice(1).reduce((sum, micros) => sum + micros, 0)),
  };
}

async function openAccounts(
  rig: Rig,
): Promise<Pick<CapacityPoints, 'redisBytesPerAccount' | 'comingBack'>> {
  const redis = rig.redis!;
  const accounts = 4_000;
  const before = await redis.memory();
  const { servers, redisMicros } = await rig.measure(() => rig.connect(accounts, 1));
  const redisBytesPerAccount = ((await redis.memory()) - before) / accounts;
  const comingBack = { server: servers[1]! / accounts, redis: redisMicros / accounts };
  return { redisBytesPerAccount, comingBack };
}
