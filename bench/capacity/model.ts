/* What the measured points say of a load that was not measured. */
import type { CapacityPoints, PushCost } from './points.js';

/** What an application does. */
export interface Demand {
  readonly title: string;
  /** Pushes to one account, per connection and second. */
  readonly pushesEach: number;
  /** Events for everybody, per second. */
  readonly broadcasts: number;
}

/** Where it happens. */
export interface Cluster {
  readonly servers: number;
  readonly connections: number;
  /** What a push costs: dear where each is alone in its turn of the event loop, cheap where many share one. */
  readonly push: PushCost;
}

/** How much of each resource is used, in the unit of its limit. */
export type Usage = Readonly<Record<Resource, number>>;

export type Resource = keyof typeof LIMITS;

/** The default of `config.heartbeatMs`. */
const HEARTBEATS_PER_SECOND = 1 / 25;
const MICROS = 1e6;
const GIB = 2 ** 30;

/** What counts as full. Of a processor something is kept for the moment in which a server fails and its clients come. */
export const LIMITS = {
  'event loop of a server': { at: 0.6, unit: 'of a processor' },
  'memory of a server': { at: 4 * GIB, unit: 'bytes' },
  'kernel memory of a server': { at: 2 * GIB, unit: 'bytes' },
  'time of Redis': { at: 0.6, unit: 'of a processor' },
  'memory of Redis': { at: 8 * GIB, unit: 'bytes' },
  'everybody back': { at: 300, unit: 'seconds' },
} as const;

export const RESOURCES = Object.keys(LIMITS) as Resource[];

export function usageOf(
  points: CapacityPoints,
  demand: Demand,
  { servers, connections, push }: Cluster,
): Usage {
  const { broadcast, redisBroadcast, redisIdle, memory, heartbeat, comingBack } = points;
  const each = connections / servers;
  const pushes = demand.pushesEach * connections;
  const serverMicros =
    each * heartbeat * HEARTBEATS_PER_SECOND +
    (pushes / servers) * (push.publisher + push.receiver) +
    demand.broadcasts * (broadcast.line.base + broadcast.line.slope * each);
  const redisMicros =
    redisIdle.line.base +
    redisIdle.line.slope * servers +
    pushes * push.redis +
    demand.broadcasts * (redisBroadcast.line.base + redisBroadcast.line.slope * servers);
  return {
    'event loop of a server': serverMicros / MICROS,
    'memory of a server': memory.line.base + memory.line.slope * each,
    'kernel memory of a server': points.kernelBytes * each,
    'time of Redis': redisMicros / MICROS,
    'memory of Redis': points.redisBytesPerAccount * connections,
    'everybody back': Math.max(comingBack.server * each, comingBack.redis * connections) / MICROS,
  };
}

/** How many connections the cluster can hold until the resource is full, to two digits. */
export function reachOf(
  points: CapacityPoints,
  demand: Demand,
  cluster: Omit<Cluster, 'connections'>,
  resource: Resource,
): number {
  const isFull = (connections: number): boolean =>
    usageOf(points, demand, { ...cluster, connections })[resource] > LIMITS[resource].at;
  let [fits, full] = [0, 1];
  while (!isFull(full)) full *= 2;
  while (full - fits > full / 1_000) {
    const middle = (fits + full) / 2;
    if (isFull(middle)) full = middle;
    else fits = middle;
  }
  return Number(fits.toPrecision(2));
}
