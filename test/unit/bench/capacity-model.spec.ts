import { LIMITS, reachOf, usageOf } from '../../../bench/capacity/model.js';
import type { CapacityPoints } from '../../../bench/capacity/points.js';

const line = (base: number, slope: number) => ({ points: [], line: { base, slope, error: 0 } });
const PUSH = { publisher: 20, redis: 10, receiver: 30 };
const POINTS: CapacityPoints = {
  broadcast: line(100, 8),
  redisBroadcast: line(30, 6),
  redisIdle: line(1_000, 400),
  memory: line(100e6, 8_000),
  kernelBytes: 2_000,
  heartbeat: 25,
  pushAlone: PUSH,
  pushTogether: PUSH,
  redisBytesPerAccount: 700,
  comingBack: { server: 300, redis: 50 },
};
const CHAT = { title: '', pushesEach: 1 / 10, broadcasts: 2 };

describe('the model of the capacity', () => {
  it('adds up what each resource is asked for', () => {
    const usage = usageOf(POINTS, CHAT, { servers: 10, connections: 100_000, push: PUSH });
    // 10 000 heartbeats every 25 s, 1 000 pushes each of both kinds and two broadcasts per second
    expect(usage['event loop of a server']).toBeCloseTo(
      (10_000 + 1_000 * 50 + 2 * (100 + 8 * 10_000)) / 1e6,
    );
    expect(usage['time of Redis']).toBeCloseTo((1_000 + 4_000 + 10_000 * 10 + 2 * 90) / 1e6);
    expect(usage['memory of a server']).toBe(100e6 + 8_000 * 10_000);
    expect(usage['kernel memory of a server']).toBe(2_000 * 10_000);
    expect(usage['memory of Redis']).toBe(700 * 100_000);
    expect(usage['everybody back']).toBe(5); // Redis takes longer than one of the servers
  });

  it('finds how many connections fill a resource', () => {
    const cluster = { servers: 10, push: PUSH };
    const reach = reachOf(POINTS, CHAT, cluster, 'time of Redis');
    const share = (connections: number): number =>
      usageOf(POINTS, CHAT, { ...cluster, connections })['time of Redis'] /
      LIMITS['time of Redis'].at;
    expect(share(reach)).toBeCloseTo(1, 1);
    expect(share(2 * reach)).toBeGreaterThan(1.5);
  });
});
