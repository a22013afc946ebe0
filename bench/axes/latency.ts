/* How long an event is on its way at a steady rate, alone and beside readers that have stopped reading. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { clientsText, endEach, ONE_SERVER, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import type { Percentiles } from '../support/percentiles.js';
import { ratioOf } from '../support/ratio.js';
import { inTurn } from '../support/rounds.js';
import { median } from '../support/statistics.js';
import type { Scale } from './axis.js';

const EVERY_MS = 100;
const STALLED_SHARE = 0.01;

/** Nobody is cut off for silence while it is measured. */
const HEARTBEAT_MS = 600_000;

const MIB = 2 ** 20;
/** Of LoopWs: room for what the kernel does not take of {@link FILL}, and not for {@link OVERFILL} as well. */
const QUEUE_BYTES = 8 * MIB;

/** For each reader that has stopped: more than the 4 MB which the kernel takes, so that the server has to keep some. */
const FILL = { events: 600, perTick: 16, bytes: 10_000 };
/** For each of them in addition, after the latencies were measured. */
const OVERFILL = { events: 1_200, perTick: 16, bytes: 10_000 };
/** Longer than LoopWs waits for the closing handshake of a connection. */
const CLOSED_AFTER_MS = 5_000;

/** Of the readers that have stopped. */
interface Stalled {
  /** How many are still connected. */
  readonly connected: number;
  /** What the server has grown by for each. */
  readonly heldBytes: number;
}

/** Of one peer: a server whose clients all read, and one where some have stopped. */
interface Pair {
  readonly name: PeerName;
  readonly healthy: Rig;
  readonly stalling: Rig;
  readonly bytesBefore: number;
}

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const connections = quick ? 1_000 : 5_000;
  const stalled = connections * STALLED_SHARE;
  const events = quick ? 20 : 50;
  const pairs: Pair[] = [];
  for (const name of ONE_SERVER) pairs.push(await startPair(name, connections, stalled));
  const all = pairs.flatMap(({ healthy, stalling }) => [healthy, stalling]);
  const filled = await readEach(pairs, connections, stalled);
  const figures = await inTurn(rounds, all, (rig) => watch(rig, events));
  for (const { stalling } of pairs) await stalling.publishToStalled(OVERFILL);
  await delay(CLOSED_AFTER_MS);
  const overfilled = await readEach(pairs, connections, stalled);
  await endEach(all);
  const p99 = (rig: Rig): number[] => figures.get(rig)!.map((figure) => figure.p99);
  const ratios = pairs.map(({ healthy, stalling }) => ratioOf(p99(stalling), p99(healthy)));
  return {
    title: 'Latency at a steady rate',
    text:
      `An event of 200 bytes to each of ${connections} connections every ${EVERY_MS} ms, ${events} in a round: milliseconds ` +
      'from the moment when it was due to its arrival, over all clients, median of the rounds. "Beside" is the same while ' +
      `${stalled} of the connections have stopped reading and ${megabytes(FILL)} were pushed to each of them, which is more ` +
      'than the kernel takes: the server keeps the rest, and goes on publishing to them. After that another ' +
      `${megabytes(OVERFILL)} are pushed to each, which is more than LoopWs keeps here (\`maxQueueBytes\` is ${QUEUE_BYTES / MIB} ` +
      'MiB): it closes them. "Held" is what the server has grown by for each of them. Heartbeats are off, which would close ' +
      `them in between. ${clientsText(pairs.map(({ healthy }) => healthy))} Beside stopped readers: ` +
      clientsText(pairs.map(({ stalling }) => stalling)),
    tables: [
      {
        title: 'Milliseconds',
        head: ['', 'p50', 'p99', 'p99.9', 'p50 beside', 'p99 beside', 'p99.9 beside', 'p99 ratio'],
        rows: pairs.map(({ name, healthy, stalling }, at) => [
          name,
          ...cells(figures.get(healthy)!),
          ...cells(figures.get(stalling)!),
          ratios[at]!.figure.toFixed(2),
        ]),
      },
      {
        title: 'For a reader that has stopped',
        head: [
          '',
          `KiB held after ${megabytes(FILL)}`,
          'connected',
          `KiB held after ${megabytes(FILL, OVERFILL)}`,
          'connected',
        ],
        rows: pairs.map(({ name }, at) => [
          name,
          ...[filled[at]!, overfilled[at]!].flatMap((one) => [
            (one.heldBytes / 1_024).toFixed(0),
            `${one.connected} of ${stalled}`,
          ]),
        ]),
      },
    ],
    charts: [
      {
        title: 'Latency at a steady rate',
        unit: `p99 in ms, ${connections} connections`,
        groups: ['all read', '1 % have stopped'],
        series: pairs.map(({ name, healthy, stalling }) => ({
          name,
          values: [median(p99(healthy)), median(p99(stalling))],
        })),
      },
    ],
    verdicts: [
      {
        what: 'p99 of healthy readers beside 1 % that have stopped, of that without',
        ...ratios[pairs.findIndex(({ name }) => name === 'loopws')]!,
        limit: 1.2,
      },
    ],
  };
}

async function startPair(name: PeerName, connections: number, stalled: number): Promise<Pair> {
  const [healthy, stalling] = await startEach([name, name], (one) => start(one, connections));
  await stalling!.stall(stalled);
  const { heapBytes } = await stalling!.server.call('usageAtRest', undefined);
  await stalling!.publishToStalled(FILL);
  return { name, healthy: healthy!, stalling: stalling!, bytesBefore: heapBytes };
}

async function start(name: PeerName, connections: number): Promise<Rig> {
  const rig = await Rig.start(name, {
    handlers: 0,
    subscriptions: 1,
    heartbeatMs: HEARTBEAT_MS,
    maxQueueBytes: QUEUE_BYTES,
  });
  await rig.connect(connections);
  await rig.publish({ events: 20, perTick: 1, everyMs: EVERY_MS, bytes: 200 });
  return rig;
}

async function readEach(
  pairs: readonly Pair[],
  connections: number,
  stalled: number,
): Promise<Stalled[]> {
  const readings: Stalled[] = [];
  for (const { stalling, bytesBefore } of pairs) {
    const { heapBytes } = await stalling.server.call('usageAtRest', undefined);
    const closed = connections - (await stalling.server.call('connections', undefined));
    readings.push({
      connected: stalled - closed,
      heldBytes: (heapBytes - bytesBefore) / stalled,
    });
  }
  return readings;
}

async function watch(rig: Rig, events: number): Promise<Percentiles> {
  const order = { events, perTick: 1, everyMs: EVERY_MS, bytes: 200 };
  const { result } = await rig.measure(() => rig.agesDuring(() => rig.publish(order)));
  return result;
}

function megabytes(...orders: readonly (typeof FILL)[]): string {
  const bytes = orders.reduce((sum, order) => sum + order.events * order.bytes, 0);
  return `${bytes / 1e6} MB`;
}

function cells(figures: readonly Percentiles[]): string[] {
  return (['p50', 'p99', 'p999'] as const).map((field) =>
    median(figures.map((figure) => figure[field])).toFixed(1),
  );
}
