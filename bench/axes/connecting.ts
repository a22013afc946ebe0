/* Clients that come: what it costs to take a connection, with its credentials. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import type { Section } from '../report/figures.js';
import { inTurn } from '../support/rounds.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const PEERS: readonly PeerName[] = ['loopws', 'ws', 'nest-ws', 'socket.io'];
const SUBSCRIPTIONS = 5;

interface Figure {
  readonly micros: number;
  readonly perSecond: number;
}

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const connections = quick ? 500 : 1_000;
  const rigs: Rig[] = [];
  for (const name of PEERS) {
    rigs.push(await Rig.start(name, { handlers: 20, subscriptions: SUBSCRIPTIONS }));
  }
  for (const rig of rigs) await rig.connect(connections);
  const figures = await inTurn(rounds, rigs, async (rig): Promise<Figure> => {
    const { servers, ms } = await rig.measure(() => rig.connect(connections));
    return { micros: servers[0]! / connections, perSecond: (connections / ms) * 1_000 };
  });
  await Promise.all(rigs.map((rig) => rig.end()));
  const own = new Map([...figures].map(([{ name }, list]) => [name, list]));
  const micros = (name: PeerName): number[] => own.get(name)!.map((figure) => figure.micros);
  return {
    title: 'Connecting',
    text:
      `Server CPU to take one connection, until its client is told that it is ready, in microseconds: median (least); 50 at ` +
      `a time. LoopWs and socket.io check a token and make ${SUBSCRIPTIONS} subscriptions; ws and platform-ws do neither. ` +
      'How many come per second is bounded by the clients as well, which share the machine.',
    tables: [
      {
        title: 'Per connection',
        head: ['', 'µs', 'of socket.io', 'per second'],
        rows: PEERS.map((name) => [
          name,
          medianAndLeast(micros(name), 0),
          (median(micros(name)) / median(micros('socket.io'))).toFixed(2),
          median(own.get(name)!.map((figure) => figure.perSecond)).toFixed(0),
        ]),
      },
    ],
    charts: [],
    verdicts: [],
  };
}
