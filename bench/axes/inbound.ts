/* Events of clients that go through a guard and a pipe to a handler. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { clientsText, endEach, measureEach, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const PEERS: readonly PeerName[] = ['loopws', 'nest-ws', 'socket.io', 'ws'];
const CONNECTIONS = 100;
const HANDLERS = 20;
const LOADS = { 'one by one': 1, '8 at once': 8 };

type LoadName = keyof typeof LOADS;

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const frames = quick ? 10_000 : 30_000;
  const rigs = await startEach(PEERS, async (name) => {
    const rig = await Rig.start(name, { handlers: HANDLERS, subscriptions: 1 });
    await rig.connect(CONNECTIONS);
    return rig;
  });
  const micros = new Map<LoadName, Map<PeerName, number[]>>();
  for (const [load, atOnce] of Object.entries(LOADS) as [LoadName, number][]) {
    for (const rig of rigs) await rig.request(frames, atOnce);
    const figures = await measureEach(rounds, rigs, async (rig) => {
      const { servers } = await rig.measure(() => rig.request(frames, atOnce));
      return servers[0]! / frames;
    });
    micros.set(load, figures);
  }
  await endEach(rigs);
  const names = Object.keys(LOADS) as LoadName[];
  const ratio = (load: LoadName, other: PeerName): number =>
    median(micros.get(load)!.get('loopws')!) / median(micros.get(load)!.get(other)!);
  return {
    title: 'Inbound events',
    text:
      `Server CPU for one event of a client, through a guard and a pipe to one of ${HANDLERS} handlers, in microseconds: ` +
      `median (least). ${CONNECTIONS} connections; each sends one event per turn, or eight in one write. The bare ws ` +
      `server only parses the JSON. ${clientsText(rigs)}`,
    tables: [
      {
        title: 'CPU per event',
        head: ['', ...PEERS, 'of platform-ws'],
        rows: names.map((load) => [
          load,
          ...PEERS.map((name) => medianAndLeast(micros.get(load)!.get(name)!, 1)),
          ratio(load, 'nest-ws').toFixed(2),
        ]),
      },
    ],
    charts: [],
    verdicts: names.map((load) => ({
      what: `inbound event, ${load}, of platform-ws`,
      figure: ratio(load, 'nest-ws'),
      limit: 0.6,
    })),
  };
}
