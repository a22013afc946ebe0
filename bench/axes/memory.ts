/* What a connection that does nothing holds. */
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { ONE_SERVER } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
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
  { quick }: Scale,
  peers: readonly PeerName[] = ONE_SERVER,
): Promise<Section> {
  const connections = quick ? 2_000 : 10_000;
  const rounds = quick ? 1 : 3;
  const held = new Map<PeerName, Held[]>();
  for (const name of peers) {
    const own: Held[] = [];
    for (let round = 0; round < rounds; round++) own.push(await measureOne(name, connections));
    held.set(name, own);
  }
  const of = (name: PeerName, field: keyof Held): number =>
    median(held.get(name)!.map((one) => one[field]));
  return {
    title: 'Memory of an idle connection',
    text:
      `${USUAL.handlers} handlers, ${USUAL.subscriptions} subscriptions (socket.io: rooms) for each of ${connections} ` +
      'connections. Heap and buffers after a full collection, and memory of the process, per connection in KiB.',
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
      { what: 'heap per connection', figure: of('loopws', 'heapKiB'), limit: 5, unit: ' KiB' },
      {
        what: 'heap per connection, of Nest with platform-ws',
        figure: of('loopws', 'heapKiB') / of('nest-ws', 'heapKiB'),
        limit: 0.5,
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
