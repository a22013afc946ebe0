/* From server to server: what an event for everybody costs a server that receives it, beyond writing to its clients. */
import { startRedis } from '../../test/support/redis-server.js';
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { clientsText, endEach, measureEach, SEVERAL_SERVERS, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const FEW = 1;
const MANY = 51;
const PER_TICK = [1, 16];
const COLUMNS: readonly (readonly [part: keyof Cost, title: string])[] = [
  ['few', `${FEW} connection`],
  ['many', `${MANY} connections`],
  ['beyondWrites', 'beyond the writes'],
];

/** Per event, in microseconds of CPU. */
interface Cost {
  readonly few: number;
  readonly many: number;
  /** What would be left without a connection. */
  readonly beyondWrites: number;
}

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const peers = quick ? SEVERAL_SERVERS.slice(0, 4) : SEVERAL_SERVERS;
  const rigs = await startEach(peers, startCluster);
  const costs = new Map<string, Cost[]>();
  for (const perTick of PER_TICK) {
    for (const rig of rigs) await measureOne(rig, perTick, 1_500);
    const events = quick ? 1_500 : 3_000;
    const figures = await measureEach(rounds, rigs, (rig) => measureOne(rig, perTick, events));
    for (const [name, own] of figures) costs.set(`${name} ${perTick}`, own);
  }
  await endEach(rigs);
  const of = (part: keyof Cost, name: PeerName, perTick: number): number[] =>
    costs.get(`${name} ${perTick}`)!.map((cost) => cost[part]);
  const ratio = (part: keyof Cost, name: PeerName, perTick: number): number =>
    median(of(part, name, perTick)) / median(of(part, 'socket.io classic', perTick));
  const rowOf = (name: PeerName, perTick: number): string[] =>
    COLUMNS.flatMap(([part]) => [
      medianAndLeast(of(part, name, perTick), 1),
      ratio(part, name, perTick).toFixed(2),
    ]);
  return {
    title: 'Across servers: an event for everybody',
    text:
      `Three servers on one Redis: the first publishes, the second has ${FEW} connection, the third ${MANY}. CPU in ` +
      'microseconds per event that a receiving server pays: median (least). A line through the two tells what it pays beyond ' +
      'writing to its clients; where one write takes many events, as LoopWs does it, next to nothing of it depends on the ' +
      'connections. "ioredis + ws" is what these two libraries alone cost, with nothing around them. ' +
      clientsText(rigs),
    tables: PER_TICK.map((perTick) => ({
      title: `${perTick} per tick`,
      head: ['', ...COLUMNS.flatMap(([, title]) => [title, 'of classic'])],
      rows: peers.map((name) => [name, ...rowOf(name, perTick)]),
    })),
    charts: [],
    verdicts: PER_TICK.map((perTick) => ({
      what: `channel relay, receiver beyond the writes, ${perTick} per tick, of socket.io classic`,
      figure: ratio('beyondWrites', 'loopws', perTick),
      limit: 0.5,
    })),
  };
}

async function startCluster(name: PeerName): Promise<Rig> {
  const { url } = await startRedis();
  const rig = await Rig.start(name, { handlers: 0, subscriptions: 1, servers: 3, redis: url });
  await rig.connect(FEW, 1);
  await rig.connect(MANY, 2);
  return rig;
}

/** Two servers with different numbers of connections make a line: its slope is a delivery, where it begins the event. */
async function measureOne(rig: Rig, perTick: number, events: number): Promise<Cost> {
  const { servers } = await rig.measure(() => rig.publish({ events, perTick, bytes: 200 }));
  const [, few = 0, many = 0] = servers.map((micros) => micros / events);
  const perDelivery = (many - few) / (MANY - FEW);
  return { few, many, beyondWrites: few - perDelivery * FEW };
}
