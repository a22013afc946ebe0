/* What the model of the capacity is made of, measured on this machine. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../test/support/redis-server.js';
import { medianMicros, measureFanOut, type Load } from '../axes/fan-out.js';
import { Rig } from '../peers/rig.js';
import { type Line, lineThrough } from '../support/linear-fit.js';
import { RedisMeter } from '../support/redis-meter.js';
import { median } from '../support/statistics.js';

const CONNECTIONS = [100, 1_000, 4_000];
/** So few that the readers have read everything before the next event, and sleep: each write has to wake one. */
const SLEEPING_READERS = [100, 300, 1_000];
/** So many that they are still reading when the next event comes. */
const AWAKE_READERS = 4_000;
const SUBSCRIBED_SERVERS = [1, 2, 4, 7];
const EVENTS_THROUGH_REDIS = 800;
const HEARTBEAT_MS = 2_000;
const ROUNDS = 5;

export type Points = readonly (readonly [x: number, y: number])[];

export interface Measured {
  readonly points: Points;
  readonly line: Line;
}

/** All in microseconds of CPU and bytes. */
export interface CapacityPoints {
  /** An event to all connections of a server, by connections, when each write wakes a reader. */
  readonly broadcast: Measured;
  /** The same for one of many connections whose readers are awake. */
  readonly awakeDelivery: number;
  /** An event to all in Redis, by servers. */
  readonly redisBroadcast: Measured;
  /** Memory of a server's process, by connections. */
  readonly memory: Measured;
  /** What the kernel holds for one end of a connection that does nothing. */
  readonly kernelBytes: number;
  /** One heartbeat of a connection. */
  readonly heartbeat: number;
  /** A push to one account of another server, without a result: what it costs each of the three. */
  readonly push: { readonly publisher: number; readonly redis: number; readonly receiver: number };
  /** What one more account with a connection takes in Redis. */
  readonly redisBytesPerAccount: number;
  /** What a server that does nothing costs Redis in a second. */
  readonly redisIdlePerServer: number;
}

export async function measureCapacityPoints(): Promise<CapacityPoints> {
  return {
    ...(await broadcast()),
    redisBroadcast: await redisBroadcast(),
    ...(await memory()),
    heartbeat: await heartbeat(),
    ...(await across()),
  };
}

const measured = (points: Points): Measured => ({ points, line: lineThrough(points) });

async function broadcast(): Promise<Pick<CapacityPoints, 'broadcast' | 'awakeDelivery'>> {
  const loadOf = (connections: number): Load => ({ connections, perTick: 1, bytes: 200 });
  const sleeping = SLEEPING_READERS.map(loadOf);
  const awake = loadOf(AWAKE_READERS);
  const fanOut = await measureFanOut([...sleeping, awake], ROUNDS, ['loopws']);
  const perDelivery = (load: Load): number => medianMicros(fanOut, load, 'loopws');
  return {
    broadcast: measured(
      sleeping.map((load) => [load.connections, perDelivery(load) * load.connections]),
    ),
    awakeDelivery: perDelivery(awake),
  };
}

async function redisBroadcast(): Promise<Measured> {
  const points: [number, number][] = [];
  for (const servers of SUBSCRIBED_SERVERS) {
    const { url } = await startRedis();
    const rig = await Rig.start('loopws', {
      handlers: 0,
      subscriptions: 1,
      servers: servers + 1,
      redis: url,
    });
    for (let server = 1; server <= servers; server++) await rig.connect(1, server);
    // One by one, as they come when a cluster is not flooded: then Redis writes each to each server.
    const order = { events: EVENTS_THROUGH_REDIS, perTick: 1, pauseMs: 1, bytes: 200 };
    const publish = (): Promise<void> => rig.publish(order);
    await publish();
    const micros: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      micros.push((await rig.measure(publish)).redisMicros / EVENTS_THROUGH_REDIS);
    }
    points.push([servers, median(micros)]);
    await rig.end();
  }
  return measured(points);
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
  const connections = CONNECTIONS.at(-1)!;
  await rig.connect(connections);
  await delay(HEARTBEAT_MS);
  const full = await idle();
  await rig.end();
  return (full - empty) / (beats * connections);
}

async function across(): Promise<
  Pick<CapacityPoints, 'push' | 'redisBytesPerAccount' | 'redisIdlePerServer'>
> {
  const { url } = await startRedis();
  const meter = new RedisMeter(url);
  const rig = await Rig.start('loopws', { handlers: 0, subscriptions: 1, servers: 2, redis: url });
  await rig.connect(100, 1);
  const quiet = await rig.measure(() => delay(2_000));
  const bytes = await meter.memory();
  const accounts = 4_000;
  await rig.connect(accounts, 1);
  const redisBytesPerAccount = ((await meter.memory()) - bytes) / accounts;
  meter.close();
  const clients = Array.from({ length: 1_000 }, (_, at) => at);
  const push = (): Promise<void> => rig.publishTo(clients, { events: 5, perTick: 4, bytes: 200 });
  for (let round = 0; round < 4; round++) await push();
  const costs = [];
  for (let round = 0; round < ROUNDS; round++) costs.push(await rig.measure(push));
  await rig.end();
  const per = (micros: number[]): number => median(micros) / (clients.length * 5);
  return {
    push: {
      publisher: per(costs.map(({ servers }) => servers[0]!)),
      redis: per(costs.map(({ redisMicros }) => redisMicros)),
      receiver: per(costs.map(({ servers }) => servers[1]!)),
    },
    redisBytesPerAccount,
    redisIdlePerServer: quiet.redisMicros / 2 / (quiet.ms / 1_000),
  };
}
