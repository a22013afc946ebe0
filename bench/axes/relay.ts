/* A push from one server to another: what it costs all servers together, and those that it is not for. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PeerName } from '../peers/index.js';
import { type Cost, type Load, Rig } from '../peers/rig.js';
import {
  clientsText,
  endEach,
  LIBRARIES,
  measureEach,
  SEVERAL_SERVERS,
  SEVERAL_SERVERS_IN_SHORT,
  startCluster,
  startEach,
} from '../peers/rigs.js';
import type { Section, Table } from '../report/figures.js';
import type { Percentiles } from '../support/percentiles.js';
import { type Ratio, ratioOf } from '../support/ratio.js';
import { median, medianAndLeast, medianAndRange, rangeOf } from '../support/statistics.js';
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

/** To each account, each in a push of its own. */
const BYSTANDER_EVENTS = 600;

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
  const peers = quick ? SEVERAL_SERVERS_IN_SHORT : SEVERAL_SERVERS;
  const loads = quick ? QUICK_LOADS : LOAD_NAMES;
  const rigs = await startEach(peers, startServers);
  const measured = new Map<LoadName, Figures>();
  for (const rig of rigs) await pushToAll(rig, WARM_UP);
  for (const load of loads) {
    measured.set(load, await measureEach(rounds, rigs, (rig) => measurePush(rig, LOADS[load])));
  }
  const bystanders = await measureEach(rounds, rigs, measureBystanders);
  await endEach(rigs);
  return {
    title: 'Across servers: a push to one account',
    text:
      `${SERVERS} servers on one Redis; the first pushes to accounts of the others in turn. CPU in microseconds per push, ` +
      'of the publisher, of Redis and of all other servers together, including what they cost while nobody pushes: median ' +
      '(least). "Of classic" and "of sharded" are the sum divided by that of socket.io with this adapter. The last columns ' +
      'are the age of a push when it arrived, in milliseconds. "loopws, results" also proves what became of each push, ' +
      'which no other one does. "ioredis + ws" is what these two libraries cost alone, with nothing around them; the driver ' +
      'pipelines its commands. ' +
      clientsText(rigs),
    tables: [
      ...[...measured].map(([load, figures]) => pushTable(`Per push, ${load}`, peers, figures)),
      bystanderTable(peers, bystanders),
    ],
    charts: loads.map((load) => ({
      title: `A push to one account of another server, ${load}`,
      unit: 'µs of CPU, all processes',
      groups: [...peers],
      series: [
        {
          name: 'publisher, Redis and all other servers',
          values: peers.map((name) => median(sumsOf(measured.get(load)!, name))),
        },
      ],
    })),
    verdicts: [
      ...loads.map((load) => ({
        what: `targeted push across ${SERVERS} servers, ${load}, of socket.io classic`,
        ...ratioBetween('loopws', 'socket.io classic', measured.get(load)!),
        floor: ratioBetween(LIBRARIES, 'socket.io classic', measured.get(load)!).figure,
        limit: 0.35,
      })),
      {
        what: 'idle server, per foreign push',
        figure: median(bystanders.get('loopws')!),
        spread: rangeOf(bystanders.get('loopws')!),
        limit: 1,
        unit: ' µs',
      },
    ],
  };
}

async function startServers(name: PeerName): Promise<Rig> {
  const rig = await startCluster(name, SERVERS);
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

/** CPU of a server that nothing is for, per push, less what it costs in as long a time before and after without pushes. */
async function measureBystanders(rig: Rig): Promise<number> {
  const only = Array.from({ length: CLIENTS_OF_EACH }, (_, at) => at); // those of the second server
  const load = { events: BYSTANDER_EVENTS, perTick: 1, everyMs: 1, bytes: BYTES };
  const pushes = BYSTANDER_EVENTS * only.length;
  const before = await rig.measure(() => delay(pushes / 2));
  const busy = await rig.measure(() => rig.publishTo(only, load));
  const after = await rig.measure(() => delay(pushes / 2));
  const ofBystanders = ({ servers }: Cost): number => median(servers.slice(2));
  const quietPerMs = (ofBystanders(before) + ofBystanders(after)) / (before.ms + after.ms);
  return (ofBystanders(busy) - quietPerMs * busy.ms) / pushes;
}

function sumsOf(figures: Figures, name: PeerName): number[] {
  return figures.get(name)!.map(({ publisher, redis, others }) => publisher + redis + others);
}

function ratioBetween(name: PeerName, other: PeerName, figures: Figures): Ratio {
  return ratioOf(sumsOf(figures, name), sumsOf(figures, other));
}

const COMPARED_WITH = ['socket.io classic', 'socket.io sharded'] as const;

function pushTable(title: string, peers: readonly PeerName[], figures: Figures): Table {
  const compared = COMPARED_WITH.filter((name) => peers.includes(name));
  return {
    title,
    head: [
      '',
      'publisher',
      'Redis',
      'other servers',
      'sum',
      ...compared.map((name) => name.replace('socket.io', 'of')),
      'p50 ms',
      'p99 ms',
    ],
    rows: peers.map((name) => {
      const own = figures.get(name)!;
      const of = (part: 'publisher' | 'redis' | 'others'): string =>
        medianAndLeast(
          own.map((shares) => shares[part]),
          1,
        );
      const sum = median(sumsOf(figures, name)).toFixed(1);
      const parts = [of('publisher'), of('redis'), of('others')];
      const ratios = compared.map((other) => ratioBetween(name, other, figures).figure.toFixed(2));
      const age = (percentile: 'p50' | 'p99'): string =>
        median(own.map(({ ages }) => ages[percentile])).toFixed(1);
      return [name, ...parts, sum, ...ratios, age('p50'), age('p99')];
    }),
  };
}

function bystanderTable(
  peers: readonly PeerName[],
  figures: ReadonlyMap<PeerName, readonly number[]>,
): Table {
  return {
    title: 'A server that has nothing to do: per push for others, less what it costs without them',
    head: ['', 'µs, median (least to most)'],
    rows: peers.map((name) => [name, medianAndRange(figures.get(name)!, 2)]),
  };
}
