/* One event to everybody: what a delivery costs the server. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { endEach, measureEach, ONE_SERVER, startEach } from '../peers/rigs.js';
import type { Section, Series, Table, Verdict } from '../report/figures.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

/** So many bytes may be under way to a client at once: what waits in a server would be a cost of another kind. */
const UNDER_WAY_BYTES = 16_384;

/** Deliveries of one measurement, at least: about half a second of the slowest. */
const DELIVERIES = 50_000;

/**
 * From one tick to the next, for each connection: longer than a write takes, so that every event finds a server that has
 * written the one before. Else those of two ticks could leave in one write, and what is called one per tick would be more.
 */
const MICROS_FOR_EACH = 20;

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
  peers: readonly PeerName[] = ONE_SERVER,
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

export function medianMicros(fanOut: FanOut, load: Load, peer: PeerName): number {
  return median(
    fanOut
      .get(load)!
      .get(peer)!
      .map(({ micros }) => micros),
  );
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
  const everyMs = Math.ceil((connections * MICROS_FOR_EACH) / 1_000);
  await rig.publish({ events, perTick, everyMs, bytes });
  return events * connections;
}

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const perTicks = [1, 8, 32];
  const sizes = quick ? [1_000] : [100, 1_000, 10_000];
  const byTick = sizes.flatMap((connections) =>
    perTicks.map((perTick): Load => ({ connections, perTick, bytes: 200 })),
  );
  const lengths = quick ? [] : [100, 1_000, 10_000];
  const byLength = lengths.map((bytes): Load => ({ connections: 1_000, perTick: 8, bytes }));
  const fanOut = await measureFanOut([...byTick, ...byLength], rounds);
  const standard = byTick.filter(({ connections }) => connections === 1_000);
  return {
    title: 'Fan-out: one event to everybody',
    text:
      'Server CPU for one event to one connection, all of the process included, in microseconds: median of the rounds ' +
      '(least). An event has 200 bytes on the wire where nothing else is said. "Per tick" is how many events are ' +
      'published in one turn of the event loop; the next ones follow when there was time to write them. On one machine the ' +
      'kernel does the work of the receiving side as well, and charges the sender with it. The last column is how busy the ' +
      'clients were, of one processor.',
    tables: [
      fanOutTable('By connections and events per tick', fanOut, byTick),
      ...(byLength.length > 0
        ? [fanOutTable('By length of the event, 8 per tick', fanOut, byLength)]
        : []),
    ],
    charts: [
      {
        title: 'CPU per delivery',
        unit: 'µs, 1 000 connections',
        groups: standard.map(({ perTick }) => `${perTick} per tick`),
        series: ONE_SERVER.map((name): Series => ({
          name,
          values: standard.map((load) => medianMicros(fanOut, load, name)),
        })),
      },
    ],
    verdicts: verdictsOf(fanOut, standard),
  };
}

function fanOutTable(title: string, fanOut: FanOut, loads: readonly Load[]): Table {
  return {
    title,
    head: [
      'connections',
      'per tick',
      'bytes',
      ...ONE_SERVER,
      'of socket.io',
      'of ws',
      'clients busy',
    ],
    rows: loads.map((load) => {
      const own = medianMicros(fanOut, load, 'loopws');
      const busy = [...fanOut.get(load)!.values()].flat().map(({ clientsBusy }) => clientsBusy);
      return [
        `${load.connections}`,
        `${load.perTick}`,
        `${load.bytes}`,
        ...ONE_SERVER.map((name) => cell(fanOut, load, name)),
        (own / medianMicros(fanOut, load, 'socket.io')).toFixed(2),
        (own / medianMicros(fanOut, load, 'ws')).toFixed(2),
        `at most ${Math.max(...busy).toFixed(2)}`,
      ];
    }),
  };
}

function cell(fanOut: FanOut, load: Load, name: PeerName): string {
  const figures = fanOut.get(load)!.get(name)!;
  return medianAndLeast(
    figures.map(({ micros }) => micros),
    2,
  );
}

function verdictsOf(fanOut: FanOut, [one, eight, many]: readonly Load[]): Verdict[] {
  const ratio = (load: Load, other: PeerName): number =>
    medianMicros(fanOut, load, 'loopws') / medianMicros(fanOut, load, other);
  return [
    { what: 'fan-out, 1 per tick, of socket.io', figure: ratio(one!, 'socket.io'), limit: 0.65 },
    { what: 'fan-out, 1 per tick, of a ws loop', figure: ratio(one!, 'ws'), limit: 0.95 },
    { what: 'fan-out, 8 per tick, of socket.io', figure: ratio(eight!, 'socket.io'), limit: 0.13 },
    { what: 'fan-out, 32 per tick, of socket.io', figure: ratio(many!, 'socket.io'), limit: 0.06 },
  ];
}
