/*
 * What a targeted push costs Redis in clusters of 2 to 64 servers, and what it costs the servers that it is not for.
 * All clusters run during the whole measurement, each on a Redis of its own, and the rounds alternate between them:
 * whatever disturbs the machine disturbs them equally.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { endRedisServers } from '../../test/support/redis-server.js';
import { endRemotes } from '../support/remote.js';
import { conditions } from '../support/report.js';
import { inTurn } from '../support/rounds.js';
import { median } from '../support/statistics.js';
import { BenchCluster, type Host, startHost } from './bench-cluster.js';
import type { Load, ProcessUsage } from './targeted-process.js';
import { bystanderTable, idleTable, pushTable, type Round } from './targeted-report.js';

const SIZES = [2, 4, 8, 16, 32, 64];
const ROUNDS = 4;
/** As long as a beat, or as several: each server beats equally often in each window. */
const WINDOW_MS = 1_000;
const BYSTANDER_WINDOW_MS = 2_000;

const ONE_PER_TURN: Load = { burst: 1, pauseMs: 0 };
const BURST: Load = { burst: 32, pauseMs: 0 };
const STEADY: Load = { burst: 5, pauseMs: 10 };

/** The clusters, and the process of one server of the largest that has nothing else to do. */
interface Stage {
  readonly clusters: readonly BenchCluster[];
  readonly bystander: Host;
}

async function setUp(): Promise<Stage> {
  const [publisher, receiver, bystander, ...others] = Array.from({ length: 5 }, startHost);
  const hostsOf = (size: number): [Host, ...Host[]] => {
    const idle = Array.from({ length: size - 2 }, (_, at) => others[at % others.length]!);
    if (size === Math.max(...SIZES)) idle.splice(-1, 1, bystander!);
    return [publisher!, receiver!, ...idle];
  };
  const clusters = await Promise.all(SIZES.map((size) => BenchCluster.start(hostsOf(size))));
  for (const cluster of clusters) await cluster.push(BURST, WINDOW_MS / 4); // until the engine has compiled it
  return { clusters, bystander: bystander! };
}

async function measureRound(cluster: BenchCluster): Promise<Round> {
  return {
    idle: await cluster.measure(() => delay(WINDOW_MS, 0)),
    onePerTurn: await cluster.measure(() => cluster.push(ONE_PER_TURN, WINDOW_MS)),
    burst: await cluster.measure(() => cluster.push(BURST, WINDOW_MS)),
  };
}

async function measureClusters(clusters: readonly BenchCluster[]): Promise<Map<number, Round[]>> {
  const rounds = await inTurn(ROUNDS, clusters, measureRound);
  return new Map([...rounds].map(([{ size }, own]) => [size, own]));
}

/** What the process spends and receives per second. */
async function watch(host: Host, work: () => Promise<unknown>): Promise<ProcessUsage> {
  const before = await host.call('usage', undefined);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  const after = await host.call('usage', undefined);
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / seconds,
    messages: (after.messages - before.messages) / seconds,
    bytes: (after.bytes - before.bytes) / seconds,
  };
}

async function measureBystander({
  clusters,
  bystander,
}: Stage): Promise<[string, ProcessUsage[]][]> {
  const pushes: number[] = [];
  const largest = clusters.at(-1)!;
  const quiet = (): Promise<unknown> => delay(BYSTANDER_WINDOW_MS);
  const busy = async (): Promise<unknown> =>
    pushes.push(await largest.push(STEADY, BYSTANDER_WINDOW_MS));
  const usages = await inTurn(ROUNDS, [quiet, busy], (work) => watch(bystander, work));
  const perSecond = Math.round((median(pushes) / BYSTANDER_WINDOW_MS) * 1_000);
  return [
    ['nobody pushes', usages.get(quiet)!],
    [`${perSecond} pushes for others`, usages.get(busy)!],
  ];
}

const stage = await setUp();
const [largest] = stage.clusters.slice(-1);
console.log(conditions(await largest!.redisVersion()));
console.log(`${ROUNDS} rounds. Each cell: median (least).`);
const rounds = await measureClusters(stage.clusters);
console.log(`\nPer push, one push per turn of the event loop\n${pushTable(rounds, 'onePerTurn')}`);
console.log(`\nPer push, 32 pushes per turn\n${pushTable(rounds, 'burst')}`);
console.log(`\nIdle, per server and second\n${idleTable(rounds)}`);
console.log(`\nAn idle server of 64, per second\n${bystanderTable(await measureBystander(stage))}`);
await endRemotes();
endRedisServers();
process.exit();
