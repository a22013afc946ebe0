/* Events from clients, through a guard and a pipe to a handler. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { clientsText, endEach, measureEach, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import { type Ratio, ratioOf } from '../support/ratio.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const ALL_PEERS: readonly PeerName[] = ['loopws', 'nest-ws', 'socket.io', 'ws'];
const HANDLERS = 20;
const LOADS = { 'one by one': 1, '8 at once': 8 };

interface Row {
  readonly connections: number;
  readonly load: string;
  readonly micros: ReadonlyMap<PeerName, readonly number[]>;
}

export async function run(
  { quick, rounds }: Scale,
  peers: readonly PeerName[] = ALL_PEERS,
): Promise<Section> {
  const frames = quick ? 10_000 : 30_000;
  const rigs = await startEach(peers, (name) =>
    Rig.start(name, { handlers: HANDLERS, subscriptions: 1 }),
  );
  const rows: Row[] = [];
  for (const connections of quick ? [1_000] : [100, 1_000]) {
    for (const rig of rigs) await rig.connect(connections - rig.size);
    for (const [load, atOnce] of Object.entries(LOADS)) {
      for (const rig of rigs) await rig.request(frames, atOnce);
      const micros = await measureEach(rounds, rigs, async (rig) => {
        const { servers, result } = await rig.measure(() => rig.request(frames, atOnce));
        return servers[0]! / result;
      });
      rows.push({ connections, load, micros });
    }
  }
  await endEach(rigs);
  const ratio = ({ micros }: Row, name: PeerName = 'loopws'): Ratio =>
    ratioOf(micros.get(name)!, micros.get('nest-ws')!);
  return {
    title: 'Inbound events',
    text:
      `Server CPU for one event from a client, through a guard and a pipe to one of ${HANDLERS} handlers, in microseconds: ` +
      'median (least). Each connection sends one event, or eight in one write, and sends again once the server has handled ' +
      'every event. Telling the clients so costs the server one message to another process per turn, the same for all ' +
      `peers: with 100 connections that is a hundredth of it per event. The bare ws server only parses the JSON. ` +
      clientsText(rigs),
    tables: [
      {
        title: 'CPU per event',
        head: ['connections', 'each sends', ...peers, 'of nest-ws'],
        rows: rows.map((row) => [
          `${row.connections}`,
          row.load,
          ...peers.map((name) => medianAndLeast(row.micros.get(name)!, 1)),
          ratio(row).figure.toFixed(2),
        ]),
      },
    ],
    charts: [
      {
        title: 'Inbound event through a guard and a pipe',
        unit: 'µs of server CPU, by connections',
        groups: rows.map(({ connections, load }) => `${connections}, ${load}`),
        series: peers.map((name) => ({
          name,
          values: rows.map(({ micros }) => median(micros.get(name)!)),
        })),
      },
    ],
    verdicts: rows.map((row) => ({
      what: `inbound event, ${row.connections} connections, ${row.load}, of nest-ws`,
      ...ratio(row),
      ...(peers.includes('ws') && { floor: ratio(row, 'ws').figure }),
      limit: 0.6,
      isGuarded: true,
    })),
  };
}
