/*
 * What the heartbeat of one process costs Redis, by the number of processes: it is answered with the last beats of all of
 * them. The sizes take turns, so whatever disturbs the machine disturbs them equally.
 */
import { BEAT } from '../../lib/redis/membership.scripts.js';
import type { RedisBackbone } from '../../lib/redis/redis-backbone.js';
import { randomId } from '../../lib/util/random-id.js';
import { redisBackbone } from '../../test/support/redis-backbone.js';
import { endRedisServers, startRedis } from '../../test/support/redis-server.js';
import { RedisMeter } from '../support/redis-meter.js';
import { conditions, table } from '../support/report.js';
import { inTurn } from '../support/rounds.js';
import { medianAndLeast } from '../support/statistics.js';

const ROUNDS = 5;
const BEATS = 2_000;
const SIZES = [8, 64, 200, 1_000];

interface Cluster {
  readonly backbone: RedisBackbone;
  readonly meter: RedisMeter;
  readonly members: readonly string[];
}

interface Cost {
  readonly micros: number;
  readonly bytes: number;
}

/** So many members of which Redis knows, and one connection. */
async function startMembers(size: number): Promise<Cluster> {
  const { url } = await startRedis();
  const backbone = await redisBackbone(url, { serverBeatMs: 2_000 });
  await backbone.start();
  const { servers } = backbone.keys;
  const members = Array.from({ length: size }, randomId);
  await backbone.link.send(servers, 'ZADD', [
    servers,
    ...members.flatMap((member) => [Date.now(), member]),
  ]);
  return { backbone, meter: new RedisMeter(url), members };
}

async function measureBeats({ backbone, meter, members }: Cluster): Promise<Cost> {
  const { link, keys } = backbone;
  const before = await meter.usage();
  for (let beat = 0; beat < BEATS; beat++) {
    const member = members[beat % members.length]!;
    await link.run(BEAT, [keys.servers, keys.sweeps, keys.swept], [member]);
  }
  const after = await meter.usage();
  return {
    micros: (after.cpuMicros - before.cpuMicros) / BEATS,
    bytes: (after.bytesOut - before.bytesOut) / BEATS,
  };
}

const clusters: Cluster[] = [];
for (const size of SIZES) clusters.push(await startMembers(size));
for (const cluster of clusters) await measureBeats(cluster); // until the engine has compiled it
const costs = await inTurn(ROUNDS, clusters, measureBeats);
console.log(conditions(await clusters[0]!.meter.version()));
console.log(`${ROUNDS} rounds of ${BEATS} beats. Each cell: median (least).\n`);
const rows = [...costs].map(([{ members }, own]) => {
  const cell = (part: keyof Cost): string =>
    medianAndLeast(
      own.map((cost) => cost[part]),
      0,
    );
  return [`${members.length}`, cell('micros'), cell('bytes')];
});
console.log(table(['processes', 'Redis µs per beat', 'bytes out'], rows));
endRedisServers();
process.exit();
