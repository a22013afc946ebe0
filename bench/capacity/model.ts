import type { CapacityPoints } from './points.js';

/** What an application does. */
export interface Demand {
  readonly title: string;
  readonly connections: number;
  /** Pushes to one account, in a second. */
  readonly pushes: number;
  /** Events for everybody, in a second. */
  readonly broadcasts: number;
}

export interface Prediction {
  readonly servers: number;
  readonly connectionsEach: number;
  /** Of one processor, from 0 to 1, when each write has to wake a reader. */
  readonly serverLoad: number;
  /** The same when the readers are awake. */
  readonly serverLoadAwake: number;
  readonly serverGiB: number;
  readonly redisLoad: number;
  readonly redisGiB: number;
}

/** The default of `config.heartbeatMs`. */
const HEARTBEATS_PER_SECOND = 1 / 25;

const MICROS = 1e6;
const GIB = 2 ** 30;

export function predict(points: CapacityPoints, demand: Demand, servers: number): Prediction {
  const { broadcast, redisBroadcast, memory, heartbeat, push } = points;
  const connectionsEach = demand.connections / servers;
  const pushesEach = demand.pushes / servers;
  const withoutBroadcasts =
    connectionsEach * heartbeat * HEARTBEATS_PER_SECOND +
    pushesEach * (push.publisher + push.receiver);
  const serverLoad = (perDelivery: number): number =>
    (withoutBroadcasts +
      demand.broadcasts * (broadcast.line.base + perDelivery * connectionsEach)) /
    MICROS;
  const redisMicros =
    demand.pushes * push.redis +
    demand.broadcasts * (redisBroadcast.line.base + redisBroadcast.line.slope * servers) +
    servers * points.redisIdlePerServer;
  const perConnection = memory.line.slope + points.kernelBytes;
  return {
    servers,
    connectionsEach,
    serverLoad: serverLoad(broadcast.line.slope),
    serverLoadAwake: serverLoad(points.awakeDelivery),
    serverGiB: (memory.line.base + perConnection * connectionsEach) / GIB,
    redisLoad: redisMicros / MICROS,
    redisGiB: (points.redisBytesPerAccount * demand.connections) / GIB,
  };
}
