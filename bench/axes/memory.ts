/* The memory of a connection that does nothing. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { ONE_SERVER } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import { ratioOf } from '../support/ratio.js';
import { inTurn } from '../support/rounds.js';
import { median } from '../support/statistics.js';
import type { Scale } from './axis.js';

/** What a server of some size has: so many handlers of inbound events, and so many subscriptions of each connection. */
const USUAL = { handlers: 20, subscriptions: 5 };

/** Opened before the first reading, so that what is made once is not counted. */
const BEFORE = 500;

interface Held {
  readonly heapKiB: number;
  readonly rssKiB: number;
}

export async function run(
  { quick, rounds }: Scale,
  peers: readonly PeerName[] = ONE_SERVER,
): Promise<Section> {
  const connections = quick ? 2_000 : 10_000;
  const held = await inTurn(quick ? 1 : Math.min(rounds, 3), peers, (name) =>
    measureOne(name, connections),
  );
  const all = (name: PeerName, field: keyof Held): number[] =>
    held.get(name)!.map((one) => one[field]);
  const of = (name: PeerName, field: keyof Held): number => median(all(name, field));
  return {
    title: 'Memory of an idle connection',
    text:
      `${USUAL.handlers} handlers, and ${USUAL.subscriptions} subscriptions (socket.io: rooms) for each of ${connections} ` +
      'connections; ws has neither, and nest-ws has the handlers only. Heap and buffers after a full collection, and resident ' +
      'memory of the process, per connection in KiB. Each measurement is a process of its own. Resident memory depends on ' +
      'when the collector last ran as well.',
    tables: [
      {
        title: 'KiB per connection',
        head: ['', 'heap and buffers', 'process'],
        rows: peers.map((name) => [
          name,
          of(name, 'heapKiB').toFixed(2),
          of(name, 'rssKiB').toFixed(1),
        ]),
      },
    ],
    charts: [
      {
        title: 'Memory of an idle connection',
        unit: 'KiB of heap',
        groups: [...peers],
        series: [{ name: 'heap and buffers', values: peers.map((name) => of(name, 'heapKiB')) }],
      },
    ],
    verdicts: [
      {
        what: 'heap per connection',
        figure: of('loopws', 'heapKiB'),
        limit: 5,
        unit: ' KiB',
        isGuarded: true,
      },
      {
        what: 'heap per connection, of nest-ws',
        ...ratioOf(all('loopws', 'heapKiB'), all('nest-ws', 'heapKiB')),
        limit: 0.5,
        isGuarded: true,
      },
    ],
  };
}

async function measureOne(name: PeerName, connections: number): Promise<Held> {
  const rig = await Rig.start(name, USUAL);
  await rig.connect(BEFORE);
  await rig.publish({ events: 3, perTick: 1, bytes: 200 });
  const before = await rig.server.call('usageAtRest', undefined);
  await rig.connect(connections);
  await rig.publish({ events: 3, perTick: 1, bytes: 200 });
  const after = await rig.server.call('usageAtRest', undefined);
  await rig.end();
  const perConnection = (bytes: number): number => bytes / connections / 1_024;
  return {
    heapKiB: perConnection(after.heapBytes - before.heapBytes),
    rssKiB: perConnection(after.rssBytes - before.rssBytes),
  };
}
