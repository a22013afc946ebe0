/* An event for everybody: what it costs each server that receives it, beyond writing to its clients. */
import type { PeerName } from '../peers/index.js';
import { type Load, Rig } from '../peers/rig.js';
import {
  clientsText,
  endEach,
  LIBRARIES,
  measureEach,
  SEVERAL_SERVERS,
  SEVERAL_SERVERS_IN_SHORT,
  startCluster,
  startEach,
} from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import { type Ratio, ratioOf } from '../support/ratio.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const FEW = 1;
const MANY = 51;
/** The fourth server: its connection listens to something else. */
const ASIDE = 3;

/** No flood is longer than what the Streams adapter keeps: its readers lose what they have not read by then. */
const LOADS = {
  'steady, 1 every ms': { perTick: 1, everyMs: 1, events: 1_500 },
  'steady, 16 every 5 ms': { perTick: 16, everyMs: 5, events: 4_800 },
  'flood, 1 per tick': { perTick: 1, events: 10_000 },
  'flood, 16 per tick': { perTick: 16, events: 10_000 },
} as const satisfies Readonly<Record<string, Load>>;

type LoadName = keyof typeof LOADS;
const LOAD_NAMES = Object.keys(LOADS) as LoadName[];

const COLUMNS: readonly (readonly [part: keyof Shares, title: string])[] = [
  ['publisher', 'publisher'],
  ['redis', 'Redis'],
  ['none', 'nobody listens'],
  ['few', `${FEW} connection`],
  ['many', `${MANY} connections`],
];

/** Per event, in microseconds of CPU: of the publisher, of Redis, and of a server with so many connections that listen. */
interface Shares {
  readonly publisher: number;
  readonly redis: number;
  readonly none: number;
  readonly few: number;
  readonly many: number;
}

export async function run(
  { quick, rounds }: Scale,
  peers: readonly PeerName[] = quick ? SEVERAL_SERVERS_IN_SHORT : SEVERAL_SERVERS,
): Promise<Section> {
  const rigs = await startEach(peers, startServers);
  const costs = new Map<string, Shares[]>();
  for (const load of LOAD_NAMES) {
    const { events, ...pace } = LOADS[load];
    const order = { ...pace, events: quick ? events / 10 : events };
    for (const rig of rigs) await measureOne(rig, order);
    const figures = await measureEach(rounds, rigs, (rig) => measureOne(rig, order));
    for (const [name, own] of figures) costs.set(`${name} ${load}`, own);
  }
  await endEach(rigs);
  const of = (part: keyof Shares, name: PeerName, load: LoadName): number[] =>
    costs.get(`${name} ${load}`)!.map((cost) => cost[part]);
  const ratio = (part: keyof Shares, name: PeerName, load: LoadName): Ratio =>
    ratioOf(of(part, name, load), of(part, 'socket.io classic', load));
  const rowOf = (name: PeerName, load: LoadName): string[] =>
    COLUMNS.flatMap(([part]) => [
      medianAndLeast(of(part, name, load), 1),
      ratio(part, name, load).figure.toFixed(2),
    ]);
  return {
    title: 'Across servers: an event for everybody',
    text:
      `Four servers on one Redis: the first publishes, the second has ${FEW} connection that listens, the third ${MANY}; that ` +
      'of the fourth listens to another event of the same service, so it receives the event and has nothing to write. CPU in ' +
      'microseconds per event of each of them and of Redis, including what they cost while nobody pushes: median (least), and ' +
      'the ratio to the classic adapter. With the sharded adapter of socket.io the event does not reach the fourth server, ' +
      'since nobody there is in the room. "ioredis + ws" is what these two libraries cost alone, with nothing around them. ' +
      clientsText(rigs),
    tables: LOAD_NAMES.map((load) => ({
      title: `Per event, ${load}`,
      head: ['', ...COLUMNS.flatMap(([, title]) => [title, 'ratio'])],
      rows: peers.map((name) => [name, ...rowOf(name, load)]),
    })),
    charts: [
      {
        title: 'A server where nobody listens to an event for everybody',
        unit: 'µs of CPU per event',
        groups: LOAD_NAMES,
        series: peers.map((name) => ({
          name,
          values: LOAD_NAMES.map((load) => median(of('none', name, load))),
        })),
      },
    ],
    verdicts: LOAD_NAMES.map((load) => ({
      what: `channel relay, receiver beyond the writes, ${load}, of socket.io classic`,
      ...ratio('none', 'loopws', load),
      ...(peers.includes(LIBRARIES) && { floor: ratio('none', LIBRARIES, load).figure }),
      limit: 0.5,
      isGuarded: load === 'flood, 16 per tick',
    })),
  };
}

async function startServers(name: PeerName): Promise<Rig> {
  const rig = await startCluster(name, 4, { aside: ASIDE });
  await rig.connect(FEW, 1);
  await rig.connect(MANY, 2);
  await rig.connect(1, ASIDE);
  return rig;
}

async function measureOne(rig: Rig, load: Load): Promise<Shares> {
  const listeners = Array.from({ length: FEW + MANY }, (_, at) => at);
  const { servers, redisMicros } = await rig.measure(() =>
    rig.publish({ ...load, bytes: 200 }, listeners),
  );
  const { events } = load;
  const [publisher = 0, few = 0, many = 0, none = 0] = servers.map((micros) => micros / events);
  return { publisher, redis: redisMicros / events, none, few, many };
}
