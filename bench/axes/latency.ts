/* How long an event is on its way at a steady rate, alone and beside readers that have stopped reading. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { ONE_SERVER } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import type { Percentiles } from '../support/percentiles.js';
import { inTurn } from '../support/rounds.js';
import { median } from '../support/statistics.js';
import type { Scale } from './axis.js';

const EVERY_MS = 100;
const STALLED_SHARE = 0.01;
/** What is pushed at those who do not read: more than their queue may hold. */
const PUSHED_AT_STALLED = { perTick: 64, bytes: 10_000 };

interface Steady {
  readonly rig: Rig;
  readonly stalls: boolean;
}

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const connections = quick ? 1_000 : 5_000;
  const events = quick ? 20 : 50;
  const rows: string[][] = [];
  const ratios = new Map<PeerName, number>();
  const held = new Map<PeerName, number>();
  for (const name of ONE_SERVER) {
    const [healthy, stalling] = [await start(name, connections), await start(name, connections)];
    const stalled = connections * STALLED_SHARE;
    held.set(name, await bytesHeldForStalled(stalling, stalled));
    const both: Steady[] = [
      { rig: healthy, stalls: false },
      { rig: stalling, stalls: true },
    ];
    const figures = await inTurn(rounds, both, ({ rig }) =>
      rig.publishWatched({ events, perTick: 1, pauseMs: EVERY_MS, bytes: 200 }),
    );
    await Promise.all([healthy.end(), stalling.end()]);
    const [alone, beside] = both.map((one) => figures.get(one)!);
    ratios.set(name, medianOf(beside!, 'p99') / medianOf(alone!, 'p99'));
    rows.push([name, ...cells(alone!), ...cells(beside!)]);
  }
  return {
    title: 'Latency at a steady rate',
    text:
      `An event of 200 bytes to each of ${connections} connections every ${EVERY_MS} ms; milliseconds from the call to the ` +
      'client, over all clients, median of the rounds. Then the same beside 1 % of readers that stopped reading, after ' +
      `${PUSHED_AT_STALLED.perTick} events of ${PUSHED_AT_STALLED.bytes} bytes were pushed at them; "held" is what the ` +
      'process grew by for each of those, what the kernel holds not included.',
    tables: [
      {
        title: 'Milliseconds',
        head: ['', 'p50', 'p99', 'p99.9', 'p50 beside', 'p99 beside', 'p99.9 beside'],
        rows,
      },
      {
        title: 'For a reader that does not read',
        head: ['', 'KiB held', 'p99 of the others, ratio'],
        rows: ONE_SERVER.map((name) => [
          name,
          (held.get(name)! / 1_024).toFixed(0),
          ratios.get(name)!.toFixed(2),
        ]),
      },
    ],
    charts: [],
    verdicts: [
      {
        what: 'p99 of healthy readers beside 1 % that stopped',
        figure: ratios.get('loopws')!,
        limit: 1.2,
      },
    ],
  };
}

async function start(name: PeerName, connections: number): Promise<Rig> {
  const rig = await Rig.start(name, { handlers: 0, subscriptions: 1 });
  await rig.connect(connections);
  await rig.publish({ events: 20, perTick: 1, bytes: 200 });
  return rig;
}

/** Grown by, for each that does not read. */
async function bytesHeldForStalled(rig: Rig, stalled: number): Promise<number> {
  await rig.stall(stalled);
  const before = await rig.server.call('usageAtRest', undefined);
  const { perTick, bytes } = PUSHED_AT_STALLED;
  for (let round = 0; round < 10; round++)
    await rig.publish({ events: perTick, perTick: 8, bytes });
  const after = await rig.server.call('usageAtRest', undefined);
  return (after.heapBytes - before.heapBytes) / stalled;
}

function cells(figures: readonly Percentiles[]): string[] {
  return (['p50', 'p99', 'p999'] as const).map((field) => medianOf(figures, field).toFixed(1));
}

function medianOf(figures: readonly Percentiles[], field: keyof Percentiles): number {
  return median(figures.map((figure) => figure[field]));
}
