/* One event to one account among many. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { clientsText, endEach, measureEach, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import { ratioOf } from '../support/ratio.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const PEERS: readonly PeerName[] = ['loopws', 'loopws, results', 'ws', 'nest-ws', 'socket.io'];
const TARGETS = 200;
/** For each of them in one measurement. */
const EVENTS = 250;
const EVENTS_IN_SHORT = 50;

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const connections = quick ? 1_000 : 10_000;
  const events = quick ? EVENTS_IN_SHORT : EVENTS;
  const rigs = await startEach(PEERS, async (name) => {
    const rig = await Rig.start(name, { handlers: 0, subscriptions: 1 });
    await rig.connect(connections);
    return rig;
  });
  for (const rig of rigs) await push(rig, connections, events);
  await delay(500);
  const micros = await measureEach(rounds, rigs, async (rig) => {
    const { servers } = await rig.measure(() => push(rig, connections, events));
    return servers[0]! / (TARGETS * events);
  });
  await endEach(rigs);
  return {
    title: 'One account among many',
    text:
      `Server CPU for a push to one of ${connections} accounts, 8 pushes per turn of the event loop, each to another ` +
      `account, in microseconds: median (least). ${clientsText(rigs)}`,
    tables: [
      {
        title: 'CPU per push',
        head: ['', 'µs', 'loopws of it'],
        rows: PEERS.map((name) => [
          name,
          medianAndLeast(micros.get(name)!, 1),
          ratioOf(micros.get('loopws')!, micros.get(name)!).figure.toFixed(2),
        ]),
      },
    ],
    charts: [
      {
        title: 'A push to one account among many',
        unit: 'µs of server CPU',
        groups: [...PEERS],
        series: [{ name: 'µs per push', values: PEERS.map((name) => median(micros.get(name)!)) }],
      },
    ],
    verdicts: [],
  };
}

async function push(rig: Rig, connections: number, events: number): Promise<void> {
  const step = Math.floor(connections / TARGETS);
  const only = Array.from({ length: TARGETS }, (_, at) => at * step);
  await rig.publishTo(only, { events, perTick: 8, bytes: 200 });
}
