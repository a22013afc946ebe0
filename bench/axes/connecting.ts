/* Clients that come: what it costs to take a connection, with its credentials. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { clientsText, endEach, measureEach, ONE_SERVER, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const SUBSCRIPTIONS = 5;

interface Figure {
  readonly micros: number;
  readonly perSecond: number;
}

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const connections = quick ? 500 : 1_000;
  const rigs = await startEach(ONE_SERVER, (name) =>
    Rig.start(name, { handlers: 20, subscriptions: SUBSCRIPTIONS }),
  );
  for (const rig of rigs) await rig.connect(connections);
  const own = await measureEach(rounds, rigs, async (rig): Promise<Figure> => {
    const { servers, ms } = await rig.measure(() => rig.connect(connections));
    return { micros: servers[0]! / connections, perSecond: (connections / ms) * 1_000 };
  });
  await endEach(rigs);
  const micros = (name: PeerName): number[] => own.get(name)!.map((figure) => figure.micros);
  return {
    title: 'Connecting',
    text:
      'Server CPU to take one connection, until its client is told that it is ready, in microseconds: median (least); 50 at ' +
      `a time. Not all do the same: LoopWs asks "authenticate", checks origin, rates and limits, makes ${SUBSCRIPTIONS} ` +
      'subscriptions and says welcome; socket.io reads the token, joins as many rooms and answers its own handshake; ws and ' +
      'nest-ws read the token and are ready with the 101. How many come per second is bounded by the clients as well. ' +
      clientsText(rigs),
    tables: [
      {
        title: 'Per connection',
        head: ['', 'µs', 'of socket.io', 'per second'],
        rows: ONE_SERVER.map((name) => [
          name,
          medianAndLeast(micros(name), 0),
          (median(micros(name)) / median(micros('socket.io'))).toFixed(2),
          median(own.get(name)!.map((figure) => figure.perSecond)).toFixed(0),
        ]),
      },
    ],
    charts: [
      {
        title: 'Taking a connection',
        unit: 'µs of server CPU',
        groups: [...ONE_SERVER],
        series: [
          { name: 'µs per connection', values: ONE_SERVER.map((name) => median(micros(name))) },
        ],
      },
    ],
    verdicts: [],
  };
}
