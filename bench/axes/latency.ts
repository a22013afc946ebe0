/* How long an event is on its way at a steady rate, alone and beside readers that have stopped reading. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { clientsText, endEach, ONE_SERVER, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import type { Percentiles } from '../support/percentiles.js';
import { inTurn } from '../support/rounds.js';
import { median } from '../support/statistics.js';
import type { Scale } from './axis.js';

const EVERY_MS = 100;
const STALLED_SHARE = 0.01;
/** More than the queue of a reader that has stopped may hold, and so little at once that the others keep up. */
const FLOOD = { events: 64, perTick: 8, bytes: 10_000 };
const FLOODS = 10;

/** Rigs of each peer, in the order of {@link ONE_SERVER}. */
interface Rigs {
  readonly healthy: readonly Rig[];
  readonly stalling: readonly Rig[];
}

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const connections = quick ? 1_000 : 5_000;
  const events = quick ? 20 : 50;
  const rigs: Rigs = {
    healthy: await startEach(ONE_SERVER, (name) => start(name, connections)),
    stalling: await startEach(ONE_SERVER, (name) => start(name, connections)),
  };
  const held = new Map<PeerName, number>();
  for (const rig of rigs.stalling) {
    held.set(rig.name, await bytesHeldForStalled(rig, connections * STALLED_SHARE));
  }
  const all = [...rigs.healthy, ...rigs.stalling];
  const figures = await inTurn(rounds, all, (rig) => watch(rig, events));
  await endEach(all);
  const p99 = (rig: Rig): number => medianOf(figures.get(rig)!, 'p99');
  const ratios = rigs.stalling.map((rig, at) => p99(rig) / p99(rigs.healthy[at]!));
  return {
    title: 'Latency at a steady rate',
    text:
      `An event of 200 bytes to each of ${connections} connections every ${EVERY_MS} ms, ${events} in a round; milliseconds ` +
      'from the moment when it was due to the client, over all clients, median of the rounds. Then beside 1 % of readers ' +
      `that have stopped reading, after ${FLOODS * FLOOD.events} events of ${FLOOD.bytes} bytes for everybody: LoopWs has closed them ` +
      'by then, since their queues were full; the others keep them, and what they hold for each. "Held" is what the process ' +
      `grew by for each of them, what the kernel holds not included. ${clientsText(all)}`,
    tables: [
      {
        title: 'Milliseconds',
        head: ['', 'p50', 'p99', 'p99.9', 'p50 beside', 'p99 beside', 'p99.9 beside'],
        rows: ONE_SERVER.map((name, at) => [
          name,
          ...cells(figures.get(rigs.healthy[at]!)!),
          ...cells(figures.get(rigs.stalling[at]!)!),
        ]),
      },
      {
        title: 'For a reader that does not read',
        head: ['', 'KiB held', 'p99 of the others, ratio'],
        rows: ONE_SERVER.map((name, at) => [
          name,
          (held.get(name)! / 1_024).toFixed(0),
          ratios[at]!.toFixed(2),
        ]),
      },
    ],
    charts: [],
    verdicts: [
      {
        what: 'p99 of healthy readers beside 1 % that stopped',
        figure: ratios[ONE_SERVER.indexOf('loopws')]!,
        limit: 1.2,
      },
    ],
  };
}

async function start(name: PeerName, connections: number): Promise<Rig> {
  const rig = await Rig.start(name, { handlers: 0, subscriptions: 1 });
  await rig.connect(connections);
  await rig.publish({ events: 20, perTick: 1, everyMs: EVERY_MS, bytes: 200 });
  return rig;
}

/** Grown by, for each that does not read. */
async function bytesHeldForStalled(rig: Rig, stalled: number): Promise<number> {
  await rig.stall(stalled);
  const before = await rig.server.call('usageAtRest', undefined);
  for (let flood = 0; flood < FLOODS; flood++) await rig.publish(FLOOD);
  const after = await rig.server.call('usageAtRest', undefined);
  return (after.heapBytes - before.heapBytes) / stalled;
}

async function watch(rig: Rig, events: number): Promise<Percentiles> {
  const order = { events, perTick: 1, everyMs: EVERY_MS, bytes: 200 };
  const { result } = await rig.measure(() => rig.agesDuring(() => rig.publish(order)));
  return result;
}

function cells(figures: readonly Percentiles[]): string[] {
  return (['p50', 'p99', 'p999'] as const).map((field) => medianOf(figures, field).toFixed(1));
}

function medianOf(figures: readonly Percentiles[], field: keyof Percentiles): number {
  return median(figures.map((figure) => figure[field]));
}
