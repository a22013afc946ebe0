/* From server to server: what a push costs all of them together, and those that it is not for. */
import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../test/support/redis-server.js';
import type { PeerName } from '../peers/index.js';
import { type Cost, type Load, Rig } from '../peers/rig.js';
import { clientsText, endEach, measureEach, SEVERAL_SERVERS, startEach } from '../peers/rigs.js';
import type { Section, Table } from '../report/figures.js';
import type { Percentiles } from '../support/percentiles.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const SERVERS = 8;
const CLIENTS_OF_EACH = 4;
const BYTES = 200;

const LOADS = {
  'steady, 1 every ms': { perTick: 1, everyMs: 1, events: 40 },
  'steady, 16 every 5 ms': { perTick: 16, everyMs: 5, events: 100 },
  'flood, 1 per tick': { perTick: 1, events: 200 },
  'flood, 16 per tick': { perTick: 16, events: 600 },
} as const satisfies Readonly<Record<string, Load>>;

type LoadName = keyof typeof LOADS;
const LOAD_NAMES = Object.keys(LOADS) as LoadName[];
const QUICK_LOADS: readonly LoadName[] = ['steady, 16 every 5 ms', 'flood, 16 per tick'];

/** Until the engine has compiled the way through each server. */
const WARM_UP: Load = { perTick: 16, events: 1_500 };

interface Shares {
  readonly publisher: number;
  readonly redis: number;
  readonly others: number;
  /** Of the pushes when they arrived, in milliseconds. */
  readonly ages: Percentiles;
}

type Figures = ReadonlyMap<PeerName, readonly Shares[]>;

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const peers = quick ? SEVERAL_SERVERS.slice(0, 4) : SEVERAL_SERVERS;
  const loads = quick ? QUICK_LOADS : LOAD_NAMES;
  const rigs = await startEach(peers, startCluster);
  const tables: Table[] = [];
  const sums = new Map<string, number>();
  for (const rig of rigs) await pushToAll(rig, WARM_UP);
  for (const load of loads) {
    const figures = await measureEach(rounds, rigs, (rig) => measurePush(rig, LOADS[load]));
    tables.push(pushTable(`Per push, ${load}`, peers, figures));
    for (const name of peers) sums.set(`${name} ${load}`, sumOf(figures.get(name)!));
  }
  const bystanders = await measureEach(rounds, rigs, measureBystanders);
  tables.push(bystanderTable(peers, bystanders));
  await endEach(rigs);
  const ratio = (name: PeerName, load: LoadName): number =>
    sums.get(`${name} ${load}`)! / sums.get(`socket.io classic ${load}`)!;
  return {
    title: 'Across servers: a push to one account',
    text:
      `${SERVERS} servers on one Redis; the first pushes to accounts of the others in turn. CPU in microseconds per push, ` +
      'of the publisher, of Redis and of all other servers together: median (least). What the servers cost while nobody ' +
      'pushes is in it. The last columns are how old a push was when it arrived, in milliseconds. "loopws, results" also proves what became of each push; no other one does. "ioredis + ws" is what these ' +
      'two libraries alone cost, with nothing around them; its commands are pipelined by the driver. ' +
      clientsText(rigs),
    tables,
    charts: [
      {
        title: 'A push to one account of another server',
        unit: 'µs of CPU, all processes',
        groups: loads,
        series: peers.map((name) => ({
          name,
          values: loads.map((load) => sums.get(`${name} ${load}`)!),
        })),
      },
    ],
    verdicts: [
      ...loads.map((load) => ({
        what: `targeted push across ${SERVERS} servers, ${load}, of socket.io classic`,
        figure: ratio('loopws', load),
        limit: 0.35,
      })),
      {
        what: 'idle server, per foreign push',
        figure: median(bystanders.get('loopws')!),
        limit: 1,
        unit: ' µs',
      },
    ],
  };
}

async function startCluster(name: PeerName): Promise<Rig> {
  const { url } = await startRedis();
  const rig = await Rig.start(name, {
    handlers: 0,
    subscriptions: 1,
    servers: SERVERS,
    redis: url,
  });
  for (let server = 1; server < SERVERS; server++) await rig.connect(CLIENTS_OF_EACH, server);
  return rig;
}

/** Each client gets the events of the load. */
async function pushToAll(rig: Rig, load: Load): Promise<void> {
  const clients = Array.from({ length: rig.size }, (_, at) => at);
  await rig.publishTo(clients, { ...load, bytes: BYTES });
}

async function measurePush(rig: Rig, load: Load): Promise<Shares> {
  const { servers, redisMicros, result } = await rig.measure(() =>
    rig.agesDuring(() => pushToAll(rig, load)),
  );
  const pushes = load.events * rig.size;
  const [publisher, ...others] = servers;
  return {
    publisher: publisher! / pushes,
    redis: redisMicros / pushes,
    others: others.reduce((sum, micros) => sum + micros, 0) / pushes,
    ages: result,
  };
}

/** CPU of a server that nothing is for, per push: less what it costs while nobody pushes. */
async function measureBystanders(rig: Rig): Promise<number> {
  const only = Array.from({ length: CLIENTS_OF_EACH }, (_, at) => at); // those of the second server
  const events = 400;
  const load = { events, perTick: 1, everyMs: 1, bytes: BYTES };
  const busy = await rig.measure(() => rig.publishTo(only, load));
  const quiet = await rig.measure(() => delay(busy.ms));
  const ofBystanders = ({ servers }: Cost): number => median(servers.slice(2));
  const share = busy.ms / quiet.ms;
  return (ofBystanders(busy) - ofBystanders(quiet) * share) / (events * only.length);
}

function sumOf(shares: readonly Shares[]): number {
  return median(shares.map(({ publisher, redis, others }) => publisher + redis + others));
}

function pushTable(title: string, peers: readonly PeerName[], figures: Figures): Table {
  const classic = sumOf(figures.get('socket.io classic')!);
  return {
    title,
    head: ['', 'publisher', 'Redis', 'other servers', 'sum', 'of classic', 'p50 ms', 'p99 ms'],
    rows: peers.map((name) => {
      const own = figures.get(name)!;
      const of = (part: 'publisher' | 'redis' | 'others'): string =>
        medianAndLeast(
          own.map((shares) => shares[part]),
          1,
        );
      const sum = sumOf(own);
      const parts = [of('publisher'), of('redis'), of('others')];
      const age = (percentile: 'p50' | 'p99'): string =>
        median(own.map(({ ages }) => ages[percentile])).toFixed(1);
      return [name, ...parts, sum.toFixed(1), (sum / classic).toFixed(2), age('p50'), age('p99')];
    }),
  };
}

function bystanderTable(
  peers: readonly PeerName[],
  figures: ReadonlyMap<PeerName, readonly number[]>,
): Table {
  return {
    title: 'A server that has nothing to do, per push for others',
    head: ['', 'µs'],
    rows: peers.map((name) => [name, medianAndLeast(figures.get(name)!, 2)]),
  };
}
