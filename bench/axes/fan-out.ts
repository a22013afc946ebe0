/* One event to everybody: what a delivery costs the server. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { endEach, measureEach, ONE_SERVER, startEach } from '../peers/rigs.js';
import type { Section, Series, Table, Verdict } from '../report/figures.js';
import { type Ratio, ratioOf } from '../support/ratio.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

/** With what a write to each connection costs at least. */
const PEERS_AND_SOCKETS: readonly PeerName[] = [...ONE_SERVER, 'node:net'];

/** Bytes that are on their way to a client at once, where the load allows: what waits in a server would be another cost. */
const UNDER_WAY_BYTES = 16_384;

/** Least number of deliveries in a measurement: about half a second of the slowest peer. */
const DELIVERIES = 50_000;

/**
 * Time from one tick to the next, per delivery: longer than a write takes, so that every tick finds a server that has
 * written the one before. Otherwise events of two ticks could leave in one write, and "1 per tick" would be more than one.
 */
const MICROS_PER_DELIVERY = 20;

export interface Load {
  readonly connections: number;
  readonly perTick: number;
  readonly bytes: number;
}

export interface FanOutFigure {
  /** Server CPU for one event to one connection. */
  readonly micros: number;
  readonly clientsBusy: number;
}

export type FanOut = ReadonlyMap<Load, ReadonlyMap<PeerName, readonly FanOutFigure[]>>;

export async function measureFanOut(
  loads: readonly Load[],
  rounds: number,
  peers: readonly PeerName[] = PEERS_AND_SOCKETS,
): Promise<FanOut> {
  const results = new Map<Load, Map<PeerName, FanOutFigure[]>>();
  for (const connections of new Set(loads.map((load) => load.connections))) {
    const rigs = await startEach(peers, async (name) => {
      const rig = await Rig.start(name, { handlers: 0, subscriptions: 1 });
      await rig.connect(connections);
      return rig;
    });
    for (const load of loads.filter((one) => one.connections === connections)) {
      for (const rig of rigs) await deliver(rig, load); // until the engine has compiled it
      results.set(load, await measureEach(rounds, rigs, (rig) => measureOne(rig, load)));
    }
    await endEach(rigs);
  }
  return results;
}

export function microsOf(fanOut: FanOut, load: Load, peer: PeerName): number[] {
  return fanOut
    .get(load)!
    .get(peer)!
    .map(({ micros }) => micros);
}

/** What LoopWs costs, divided by what another peer does. */
export function ratioTo(other: PeerName, fanOut: FanOut, load: Load): Ratio {
  return ratioBetween('loopws', other, fanOut, load);
}

function ratioBetween(one: PeerName, other: PeerName, fanOut: FanOut, load: Load): Ratio {
  return ratioOf(microsOf(fanOut, load, one), microsOf(fanOut, load, other));
}

async function measureOne(rig: Rig, load: Load): Promise<FanOutFigure> {
  let deliveries = 0;
  const cost = await rig.measure(async () => {
    while (deliveries < DELIVERIES) deliveries += await deliver(rig, load);
  });
  return { micros: cost.servers[0]! / deliveries, clientsBusy: cost.clientsBusy };
}

/** Resolves with the number of deliveries, when all of them have arrived. */
async function deliver(rig: Rig, { connections, perTick, bytes }: Load): Promise<number> {
  const fitting = Math.floor(UNDER_WAY_BYTES / (perTick * bytes));
  const wanted = Math.ceil(DELIVERIES / (perTick * connections));
  const events = Math.max(1, Math.min(fitting, wanted)) * perTick;
  const everyMs = Math.ceil((connections * perTick * MICROS_PER_DELIVERY) / 1_000);
  await rig.publish({ events, perTick, everyMs, bytes });
  return events * connections;
}

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const perTicks = [1, 8, 32];
  const sizes = quick ? [1_000] : [100, 1_000, 10_000];
  const byTick = sizes.flatMap((connections) =>
    perTicks.map((perTick): Load => ({ connections, perTick, bytes: 200 })),
  );
  const byLength = (quick ? [] : [100, 1_000, 10_000]).flatMap((bytes) =>
    [1, 8].map((perTick): Load => ({ connections: 1_000, perTick, bytes })),
  );
  const fanOut = await measureFanOut([...byTick, ...byLength], rounds);
  const standard = byTick.filter(({ connections }) => connections === 1_000);
  return {
    title: 'Fan-out: one event to every connection',
    text:
      'Server CPU per event and connection, in microseconds, everything that the process does included: median of the rounds ' +
      '(least). Events have 200 bytes on the wire unless the table says otherwise. "Per tick" is the number of events ' +
      'published in one turn of the event loop; the next turn publishes once there was time to write them all. Pushes of ' +
      'LoopWs ask for no result (`receipt: false`), since no peer has one; the last table has those with results, which are ' +
      'the default. "node:net" is what the sockets of Node cost: the frames of a turn joined once, and one write to each ' +
      'connection. Both ends are on one machine, so the kernel charges the sender with the side of the receiver as well. ' +
      "The last column is the busiest of the clients' processes, as a share of one processor: where it is above 0.9, the " +
      'clients may have held the server up.',
    tables: [
      fanOutTable('By connections and events per tick', fanOut, byTick),
      ...(quick
        ? []
        : [
            fanOutTable('By length of the event', fanOut, byLength),
            resultsTable(await measureFanOut(standard, rounds, WITH_AND_WITHOUT_RESULTS), standard),
          ]),
    ],
    charts: [
      {
        title: 'CPU per delivery',
        unit: 'µs, 1 000 connections',
        groups: standard.map(({ perTick }) => `${perTick} per tick`),
        series: ONE_SERVER.map((name): Series => ({
          name,
          values: standard.map((load) => median(microsOf(fanOut, load, name))),
        })),
      },
    ],
    verdicts: verdictsOf(fanOut, standard),
  };
}

const WITH_AND_WITHOUT_RESULTS: readonly PeerName[] = ['loopws', 'loopws, results'];

function fanOutTable(title: string, fanOut: FanOut, loads: readonly Load[]): Table {
  return {
    title,
    head: [
      'connections',
      'per tick',
      'bytes',
      ...PEERS_AND_SOCKETS,
      'of socket.io',
      'of ws',
      'clients busy',
    ],
    rows: loads.map((load) => [
      `${load.connections}`,
      `${load.perTick}`,
      `${load.bytes}`,
      ...PEERS_AND_SOCKETS.map((name) => cell(fanOut, load, name)),
      ratioTo('socket.io', fanOut, load).figure.toFixed(2),
      ratioTo('ws', fanOut, load).figure.toFixed(2),
      busiest(fanOut, load),
    ]),
  };
}

function resultsTable(fanOut: FanOut, loads: readonly Load[]): Table {
  return {
    title: 'With the result of each push',
    head: ['connections', 'per tick', ...WITH_AND_WITHOUT_RESULTS],
    rows: loads.map((load) => [
      `${load.connections}`,
      `${load.perTick}`,
      ...WITH_AND_WITHOUT_RESULTS.map((name) => cell(fanOut, load, name)),
    ]),
  };
}

function cell(fanOut: FanOut, load: Load, name: PeerName): string {
  return medianAndLeast(microsOf(fanOut, load, name), 2);
}

/** How busy the clients were, and whose they were. */
function busiest(fanOut: FanOut, load: Load): string {
  const shares = [...fanOut.get(load)!].map(([name, figures]): [number, PeerName] => [
    Math.max(...figures.map(({ clientsBusy }) => clientsBusy)),
    name,
  ]);
  const [share, name] = shares.reduce((one, other) => (other[0] > one[0] ? other : one));
  return `${share.toFixed(2)} (${name})`;
}

function verdictsOf(fanOut: FanOut, [one, eight, many]: readonly Load[]): Verdict[] {
  const verdict = (load: Load, other: PeerName, limit: number): Verdict => ({
    what: `fan-out to ${load.connections} connections, ${load.perTick} per tick, of ${other}`,
    ...ratioTo(other, fanOut, load),
    floor: ratioBetween('node:net', other, fanOut, load).figure,
    limit,
  });
  return [
    verdict(one!, 'socket.io', 0.65),
    verdict(one!, 'ws', 0.95),
    verdict(eight!, 'socket.io', 0.13),
    verdict(many!, 'socket.io', 0.06),
  ];
}
